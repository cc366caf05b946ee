import { isIP } from 'node:net'

/** A block of addresses: the bytes of its first one and how many leading bits count. */
export interface Cidr {
  bytes: Uint8Array
  prefix: number
}

/** The 4 or 16 bytes of an address in text form, a zone (`%eth0`) ignored; `null` when it is none. */
export function parseAddress(text: string): Uint8Array | null {
  const family = isIP(text)
  if (family === 4) return Uint8Array.from(text.split('.'), Number)
  return family === 6 ? parseV6(text) : null
}

/** `10.0.0.0/8`, `fd00::/8` or a single address; `null` for anything else. Bits behind the prefix are ignored. */
export function parseCidr(text: string): Cidr | null {
  const slash = text.indexOf('/')
  const bytes = parseAddress(slash < 0 ? text : text.slice(0, slash))
  if (bytes === null) return null
  const bits = bytes.length * 8
  if (slash < 0) return { bytes, prefix: bits }
  const prefixText = text.slice(slash + 1)
  if (!/^\d{1,3}$/.test(prefixText) || Number(prefixText) > bits) return null
  return { bytes, prefix: Number(prefixText) }
}

/** Whether an address lies in a block; never across families. */
export function inCidr(address: Uint8Array, { bytes, prefix }: Cidr): boolean {
  if (address.length !== bytes.length) return false
  const whole = prefix >> 3
  for (let i = 0; i < whole; i++) {
    if (address[i] !== bytes[i]) return false
  }
  const rest = prefix & 7
  if (rest === 0) return true
  const mask = (0xff << (8 - rest)) & 0xff
  return ((address[whole] ?? 0) & mask) === ((bytes[whole] ?? 0) & mask)
}

/** Whether two addresses are the same bytes. */
export function sameAddress(a: Uint8Array, b: Uint8Array): boolean {
  return inCidr(a, { bytes: b, prefix: b.length * 8 })
}

/** `text` is known to be valid IPv6, so only its shape has to be taken apart. */
function parseV6(text: string): Uint8Array {
  const [address = ''] = text.split('%')
  const [head = '', tail] = address.split('::')
  const front = groupBytes(head)
  const back = tail === undefined ? [] : groupBytes(tail)
  const bytes = new Uint8Array(16)
  bytes.set(front, 0)
  bytes.set(back, 16 - back.length)
  return bytes
}

function groupBytes(groups: string): number[] {
  if (groups === '') return []
  return groups.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number)
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 0xff]
  })
}
