import { CommanderError } from 'commander'
import { SettingError } from '../config/setting-spec.ts'
import { StoreUnavailable } from '../store/store.ts'
import { CliError, EXIT } from './cli-error.ts'

export interface Explanation {
  /** One sentence; `null` where it was said already. */
  message: string | null
  exitCode: number
}

/** What the user is told, and the exit code. Never a stack trace. */
export function explainError(error: unknown): Explanation {
  // Commander prints what it found itself; help and version end this way too.
  if (error instanceof CommanderError) return { message: null, exitCode: error.exitCode === 0 ? EXIT.ok : EXIT.usage }
  if (error instanceof SettingError) return { message: error.message, exitCode: EXIT.usage }
  if (error instanceof CliError) return { message: error.message, exitCode: error.exitCode }
  const message = explainSystemError(error) ?? explainStoreError(error) ?? firstLine(error)
  return { message, exitCode: EXIT.failed }
}

interface SystemError {
  code?: string
  syscall?: string
  address?: string
  port?: number
  path?: string
}

function explainSystemError(error: unknown): string | null {
  const { code, syscall, address, port, path } = error as SystemError
  if (syscall === 'listen' || syscall === 'bind') {
    if (code === 'EADDRINUSE') {
      return `port ${port} on ${address} is in use: stop what listens there, or choose another with --port (0 picks a free one)`
    }
    if (code === 'EACCES') return `port ${port} needs more rights than this user has: choose one from 1024 with --port`
    if (code === 'EADDRNOTAVAIL') return `${address} is not an address of this machine: choose another with --host`
  }
  if (syscall === 'getaddrinfo') return 'the name given with --host cannot be resolved: give an address of this machine'
  const reason = code === undefined ? undefined : FILE_REASONS[code]
  return reason === undefined || path === undefined ? null : `${path} ${reason}`
}

function explainStoreError(error: unknown): string | null {
  if (error instanceof StoreUnavailable) {
    return `the database cannot be opened (${firstLine(error)}): check the disk and the rights of its folder, or that Postgres answers where RUNBELL_DATABASE_URL is set`
  }
  if (/not a database|malformed/i.test(firstLine(error))) {
    return 'runbell.db in the data folder is not a database: restore it from a backup, or choose another folder with --data-dir'
  }
  return null
}

const FILE_REASONS: Readonly<Record<string, string>> = {
  EACCES: 'cannot be written by this user: change its rights, or choose another folder with --data-dir',
  EPERM: 'cannot be written by this user: change its rights, or choose another folder with --data-dir',
  EROFS: 'is on a file system that is read-only: choose another folder with --data-dir',
  ENOSPC: 'cannot be written because the disk is full: make space, or choose another folder with --data-dir',
  EEXIST: 'is not a folder: choose another one with --data-dir',
  ENOTDIR: 'is not a folder: choose another one with --data-dir',
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.split('\n', 1)[0] || 'it failed without saying why'
}
