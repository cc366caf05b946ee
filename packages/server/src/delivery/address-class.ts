import { inCidr, parseCidr, type Cidr } from './ip-address.ts'

/**
 * How far an address may be reached: `public` by anyone, `special` only through the allow-list,
 * `never` by nobody, whatever is configured (link-local, metadata, multicast, unspecified).
 */
export type Reach = 'public' | 'special' | 'never'

/** The class of one address. */
export interface AddressClass {
  reach: Reach
  /** What it is, for the operator: `private use`, `cloud metadata`, … */
  name: string
  loopback: boolean
}

type Row = readonly [cidr: string, name: string, reach: Exclude<Reach, 'public'>]

/**
 * IANA IPv4 Special-Purpose Address Registry, multicast, and the metadata services outside 169.254.0.0/16.
 * `0.0.0.0/8` is `never`: Linux connects 0.0.0.0 to loopback, which would get around the ban on own listeners.
 * First match wins, so metadata comes first.
 */
const V4_ROWS: readonly Row[] = [
  ['168.63.129.16', 'cloud metadata (Azure)', 'never'],
  ['100.100.100.200', 'cloud metadata (Alibaba)', 'never'],
  ['192.0.0.192', 'cloud metadata (Oracle)', 'never'],
  ['169.254.0.0/16', 'link-local and cloud metadata', 'never'],
  ['0.0.0.0/8', 'this network', 'never'],
  ['224.0.0.0/4', 'multicast', 'never'],
  ['240.0.0.0/4', 'reserved and broadcast', 'never'],
  ['127.0.0.0/8', 'loopback', 'special'],
  ['10.0.0.0/8', 'private use', 'special'],
  ['172.16.0.0/12', 'private use', 'special'],
  ['192.168.0.0/16', 'private use', 'special'],
  ['100.64.0.0/10', 'shared address space', 'special'],
  ['192.0.0.0/24', 'IETF protocol assignments', 'special'],
  ['192.0.2.0/24', 'documentation', 'special'],
  ['198.51.100.0/24', 'documentation', 'special'],
  ['203.0.113.0/24', 'documentation', 'special'],
  ['192.31.196.0/24', 'AS112', 'special'],
  ['192.175.48.0/24', 'AS112', 'special'],
  ['192.52.193.0/24', 'AMT', 'special'],
  ['192.88.99.0/24', '6to4 relay', 'special'],
  ['198.18.0.0/15', 'benchmarking', 'special'],
]

/** IANA IPv6 Special-Purpose Address Registry as far as it is not outside 2000::/3 anyway, and what is `never`. */
const V6_ROWS: readonly Row[] = [
  ['fd00:ec2::/32', 'cloud metadata (AWS)', 'never'],
  ['fd20:ce::254', 'cloud metadata (Google)', 'never'],
  ['fd00:42::42', 'cloud metadata (Scaleway)', 'never'],
  ['fe80::/10', 'link-local', 'never'],
  ['ff00::/8', 'multicast', 'never'],
  ['::', 'unspecified', 'never'],
  ['::1', 'loopback', 'special'],
  ['fc00::/7', 'unique local', 'special'],
  ['2001::/23', 'IETF protocol assignments', 'special'],
  ['2001:db8::/32', 'documentation', 'special'],
  ['2002::/16', '6to4', 'special'],
  ['2620:4f:8000::/48', 'AS112', 'special'],
  ['3fff::/20', 'documentation', 'special'],
]

const V4_TABLE = V4_ROWS.map(compile)
const V6_TABLE = V6_ROWS.map(compile)
const GLOBAL_UNICAST = cidr('2000::/3')
const MAPPED = cidr('::ffff:0:0/96')
const NAT64 = cidr('64:ff9b::/96')
const NAT64_LOCAL = cidr('64:ff9b:1::/48')
const COMPATIBLE = cidr('::/96')
const TRANSLATED = cidr('::ffff:0:0:0/96')
const SIX_TO_FOUR = cidr('2002::/16')
const TEREDO = cidr('2001::/32')
const PUBLIC: AddressClass = { reach: 'public', name: 'public', loopback: false }

/** The IPv4 address that is really dialled through a mapped or NAT64 address; the address itself otherwise. */
export function effectiveAddress(address: Uint8Array): Uint8Array {
  return inCidr(address, MAPPED) || inCidr(address, NAT64) ? address.subarray(12) : address
}

/**
 * Classifies 4 or 16 bytes. Mapped and NAT64 addresses have the class of the IPv4 address in them. Other forms
 * that carry one (6to4, Teredo, compatible, translated, local NAT64, ISATAP) are special whatever it is,
 * and `never` when it is: an allow-listed 2002::/16 must not lead to 169.254.169.254.
 */
export function classifyAddress(address: Uint8Array): AddressClass {
  const effective = effectiveAddress(address)
  if (effective.length === 4) return classifyV4(effective)
  const own = lookUp(V6_TABLE, effective)
  if (own?.reach === 'never' || own?.loopback === true) return own
  const carried = carriedV4(effective)
  const forbidden = carried.map(classifyV4).find((inner) => inner.reach === 'never')
  if (forbidden !== undefined) return { ...forbidden, name: `${forbidden.name}, inside an IPv6 address` }
  if (own !== null) return own
  if (carried.length > 0) return { reach: 'special', name: 'IPv4 inside an IPv6 address', loopback: false }
  return inCidr(effective, GLOBAL_UNICAST) ? PUBLIC : { reach: 'special', name: 'outside 2000::/3', loopback: false }
}

function classifyV4(address: Uint8Array): AddressClass {
  return lookUp(V4_TABLE, address) ?? PUBLIC
}

/** Every IPv4 address a transition format may hide in 16 bytes. */
function carriedV4(address: Uint8Array): Uint8Array[] {
  const last = address.subarray(12)
  if (inCidr(address, COMPATIBLE) || inCidr(address, TRANSLATED)) return [last]
  if (inCidr(address, SIX_TO_FOUR)) return [address.subarray(2, 6)]
  // Teredo: the server's address, and the client's with every bit flipped (RFC 4380, 4).
  if (inCidr(address, TEREDO)) return [address.subarray(4, 8), last.map((byte) => byte ^ 0xff)]
  // RFC 6052, 2.2: a /48 prefix has the address around byte 8; operators also use /96 inside it. Zeros are neither.
  if (inCidr(address, NAT64_LOCAL)) {
    return [last, Uint8Array.from([6, 7, 9, 10], (i) => address[i] ?? 0)].filter((inner) => inner[0] !== 0)
  }
  // ISATAP interface identifiers: (00|02)00:5efe:a.b.c.d.
  const isatap = ((address[8] ?? 0) & 0xfd) === 0 && address[9] === 0 && address[10] === 0x5e && address[11] === 0xfe
  return isatap ? [last] : []
}

interface Entry {
  block: Cidr
  result: AddressClass
}

function lookUp(table: readonly Entry[], address: Uint8Array): AddressClass | null {
  for (const entry of table) {
    if (inCidr(address, entry.block)) return entry.result
  }
  return null
}

function compile([text, name, reach]: Row): Entry {
  return { block: cidr(text), result: { reach, name, loopback: name === 'loopback' } }
}

function cidr(text: string): Cidr {
  const block = parseCidr(text)
  if (block === null) throw new Error(`not a CIDR: ${text}`)
  return block
}
