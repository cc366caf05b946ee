import { DEFAULT_TOLERANCE_SECONDS, headerNames, parseVerifyingSecret } from '../signing/index.ts'
import type { DuplicateStore } from './duplicate-store.ts'
import { MemoryDuplicateStore } from './memory-duplicate-store.ts'

export interface ReceiverOptions {
  /** `whsec_…` or `whpk_…`; several while a secret is being rotated, and for several endpoints at one URL. */
  secrets: string | readonly string[]
  /** Where handled events are remembered. @default a MemoryDuplicateStore, which one process alone sees */
  store?: DuplicateStore
  /** How far the signed timestamp may be from now, in seconds, either way. 0 or more. @default 300 */
  toleranceSeconds?: number
  /** `acme` reads `acme-id` and so on. @default "webhook" */
  headerPrefix?: string
  /** Bodies above this are answered with 413. Runbell sends at most 1 MiB. 1 or more. @default 1048576 */
  maxBodyBytes?: number
  /**
   * How long the claim on an event holds, in milliseconds: longer than the slowest handler takes, since an event whose
   * claim has expired may be handled a second time. Above 0. @default 300000 (5 minutes)
   */
  claimMs?: number
  /** Gets what handlers and the store throw; the sender only learns that it failed. @default console.error */
  onError?: (error: unknown, where: { eventId: string; type: string }) => void
  /** The time in milliseconds since 1970. @default Date.now */
  now?: () => number
}

export type ReceiverSettings = Readonly<Required<ReceiverOptions> & { secrets: readonly string[] }>

const DEFAULT_MAX_BODY_BYTES = 1024 * 1024
const DEFAULT_CLAIM_MS = 5 * 60 * 1000

/**
 * @throws SecretError for a secret that cannot be used: better at the start than at the first event
 * @throws TypeError for another option that cannot be
 */
export function readOptions(options: ReceiverOptions): ReceiverSettings {
  const secrets = Object.freeze(typeof options.secrets === 'string' ? [options.secrets] : [...(options.secrets ?? [])])
  if (secrets.length === 0) throw new TypeError('a receiver needs at least one secret')
  secrets.forEach(parseVerifyingSecret)
  const now = options.now ?? Date.now
  const settings = {
    secrets,
    store: options.store ?? new MemoryDuplicateStore({ now }),
    toleranceSeconds: options.toleranceSeconds ?? DEFAULT_TOLERANCE_SECONDS,
    headerPrefix: options.headerPrefix ?? 'webhook',
    maxBodyBytes: options.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES,
    claimMs: options.claimMs ?? DEFAULT_CLAIM_MS,
    onError: options.onError ?? printError,
    now,
  }
  headerNames(settings.headerPrefix)
  if (!(settings.toleranceSeconds >= 0)) throw new TypeError('toleranceSeconds is 0 or more')
  if (!(settings.maxBodyBytes >= 1)) throw new TypeError('maxBodyBytes is 1 or more')
  if (!(settings.claimMs > 0)) throw new TypeError('claimMs is above 0')
  return Object.freeze(settings)
}

function printError(error: unknown, where: { eventId: string; type: string }): void {
  // oxlint-disable-next-line no-console -- a handler that fails must not be silent where nobody set onError
  console.error(`runbell receiver: ${where.type} ${where.eventId} failed`, error)
}
