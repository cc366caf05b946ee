import { hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import {
  DATA_CLASSES,
  DEFAULT_DATA_CLASSES,
  idPrefix,
  type DataClass,
  type Mode,
  type Scope,
} from '@runbell/sdk/contract'
import type { RandomSource } from '../../core/clock.ts'
import type { ApiKeyRow } from '../../store/rows.ts'

/**
 * An API key is `rb_<live|test>_<16 × [a-z0-9]>_<43 × [A-Za-z0-9]>_<8 lower-case hex>` (details 9). The third part names
 * it, the fourth is the secret (256 bits), and the last is CRC-32 (IEEE) of all before its underscore, so that
 * a mistyped key is known as one without asking the database, and scanners of public code find leaked ones.
 */
const KEY_PATTERN = /^rb_(live|test)_([a-z0-9]{16})_[A-Za-z0-9]{43}_[0-9a-f]{8}$/
const NAME_LENGTH = 16
const SECRET_LENGTH = 43
const LOWER = 'abcdefghijklmnopqrstuvwxyz0123456789'
const MIXED = `ABCDEFGHIJKLMNOPQRSTUVWXYZ${LOWER}`

export interface ParsedApiKey {
  mode: Mode
  /** `key_…`, under which the store has it. */
  id: string
}

/** What a key may do. */
export interface ApiKeyGrant {
  scopes: Scope[]
  /** @default all for `admin`, else `public` and `summary` */
  dataClasses?: DataClass[] | undefined
  /** `null`: all tenants. @default null */
  tenantId?: string | null | undefined
  /** Service time in ms; `null`: until it is revoked. @default null */
  expiresAt?: number | null | undefined
  /** Service time in ms. */
  now: number
}

/** Admin keys hold all data classes, others the two that always travel (details 11). */
export function defaultDataClasses(scopes: readonly Scope[]): readonly DataClass[] {
  return scopes.includes('admin') ? DATA_CLASSES : DEFAULT_DATA_CLASSES
}

function checkDigits(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}

/** Reads a key without asking anybody; `null`: it cannot be one. */
export function parseApiKey(key: string): ParsedApiKey | null {
  const match = KEY_PATTERN.exec(key)
  if (match === null || checkDigits(key.slice(0, -9)) !== key.slice(-8)) return null
  const mode = match[1] as Mode
  return { mode, id: idPrefix('apiKey', mode) + match[2] }
}

/** SHA-256 of the whole key: what is stored. The secret has 256 random bits, so a slow hash would add nothing. */
export function hashApiKey(key: string): Uint8Array {
  return hash('sha256', key, 'buffer')
}

/** `length` characters of the alphabet, each as likely as the others: bytes that would favour some are thrown away. */
function randomText(length: number, alphabet: string, random: RandomSource): string {
  const fair = 256 - (256 % alphabet.length)
  let text = ''
  while (text.length < length) {
    for (const byte of random.bytes(length)) {
      if (byte < fair && text.length < length) text += alphabet[byte % alphabet.length]
    }
  }
  return text
}

/** What the store keeps of a key that exists; `null`: it is not a key. */
export function apiKeyRow(key: string, grant: ApiKeyGrant): ApiKeyRow | null {
  const parsed = parseApiKey(key)
  if (parsed === null) return null
  return {
    position: 0,
    id: parsed.id,
    mode: parsed.mode,
    scopes: [...grant.scopes],
    dataClasses: [...(grant.dataClasses ?? defaultDataClasses(grant.scopes))],
    tenantId: grant.tenantId ?? null,
    hash: hashApiKey(key),
    createdAt: grant.now,
    expiresAt: grant.expiresAt ?? null,
    lastUsedAt: null,
  }
}

/** A new key, and what to store of it. The key itself is shown once and never kept. */
export function createApiKey(input: ApiKeyGrant & { mode: Mode; random: RandomSource }): {
  key: string
  row: ApiKeyRow
} {
  const name = randomText(NAME_LENGTH, LOWER, input.random)
  const unchecked = `rb_${input.mode}_${name}_${randomText(SECRET_LENGTH, MIXED, input.random)}`
  const key = `${unchecked}_${checkDigits(unchecked)}`
  return { key, row: apiKeyRow(key, input) as ApiKeyRow }
}
