import { lstatSync, mkdirSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

const WRITTEN_BY_OTHERS = 0o022

/**
 * Keeps compiled code between starts, which then take about two thirds of the time. What is in such a cache is run, so it has to be where
 * nobody else can write: in the user's own cache folder, never in the one for temporary files. Whoever sets NODE_COMPILE_CACHE or
 * NODE_DISABLE_COMPILE_CACHE has decided.
 */
export function keepCompiledCode() {
  const { env } = process
  if (env.NODE_COMPILE_CACHE !== undefined || env.NODE_DISABLE_COMPILE_CACHE !== undefined) return
  const folder = safeFolder()
  if (folder === null) return
  enableCompileCache(folder)
  // For threads, and for the same program started again.
  env.NODE_COMPILE_CACHE = folder
}

/** Ours alone, made if it is not there; `null`: there is no such place. */
function safeFolder() {
  try {
    const folder = join(cacheHome(), 'runbell', 'compile-cache')
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const isOurs = [folder, dirname(folder), dirname(dirname(folder))].every(belongsToUs)
    return isOurs ? folder : null
  } catch {
    return null
  }
}

function belongsToUs(path) {
  const stats = lstatSync(path)
  if (!stats.isDirectory()) return false
  if (process.platform === 'win32') return true
  return stats.uid === process.getuid() && (stats.mode & WRITTEN_BY_OTHERS) === 0
}

function cacheHome() {
  const { env, platform } = process
  if (env.XDG_CACHE_HOME) return env.XDG_CACHE_HOME
  if (platform === 'win32') return env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local')
  return platform === 'darwin' ? join(homedir(), 'Library', 'Caches') : join(homedir(), '.cache')
}
