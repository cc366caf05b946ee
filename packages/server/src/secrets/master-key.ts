import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'

/** A key that wraps the data keys. Node shows nothing of a `KeyObject`. */
export interface MasterKey {
  /** Says which key it is and nothing about it: 16 hex digits. */
  id: string
  key: KeyObject
}

export const MASTER_KEY_BYTES = 32
const ID_LABEL = 'runbell master key id v1'

/** A master key that cannot be used; the message never holds any of it. */
export class MasterKeyError extends Error {
  override name = 'MasterKeyError'
}

/**
 * Reads master keys, one a line or separated by commas: the first one wraps, the others are those it follows on and still unwrap.
 * Each is base64 or base64url of 32 bytes.
 * @param from where they come from, for the error
 * @throws MasterKeyError
 */
export function parseMasterKeys(text: string, from: string): MasterKey[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== '')
  if (words.length === 0)
    throw new MasterKeyError(`${from} is empty: it holds a master key, as keys generate-master makes one`)
  return words.map((word, index) => {
    const bytes = /^[A-Za-z0-9+/_-]+={0,2}$/.test(word) ? Buffer.from(word, 'base64') : Buffer.alloc(0)
    if (bytes.length === MASTER_KEY_BYTES) return masterKey(bytes)
    const which = words.length === 1 ? '' : ` (number ${index + 1})`
    throw new MasterKeyError(
      `what ${from} holds${which} is not a master key: that is base64 of ${MASTER_KEY_BYTES} bytes, as keys generate-master makes it`,
    )
  })
}

export function masterKey(bytes: Uint8Array): MasterKey {
  const id = createHmac('sha256', bytes).update(ID_LABEL).digest('hex').slice(0, 16)
  return { id, key: createSecretKey(bytes) }
}
