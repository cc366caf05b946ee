import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { classifyAddress, effectiveAddress, type AddressClass } from './address-class.ts'
import { inCidr, parseAddress, parseCidr, sameAddress, type Cidr } from './ip-address.ts'

/** Why a URL or an address may not be reached. */
export interface Refusal {
  rule: 'scheme' | 'userinfo' | 'port' | 'http' | 'address' | 'own_listener'
  /** For the operator's log and the creator of an endpoint; may name addresses. */
  detail: string
}

/** What the transport asks before a byte leaves. */
export interface EgressPolicy {
  /** On every request: scheme, port, user info, and the address where the host is a literal. */
  checkUrl(url: URL): Refusal | null
  /**
   * On every new connection, for each address of a name before it is dialled and for the peer after it.
   * `hostname` has no brackets; `protocol` is `http:` or `https:`.
   */
  checkAddress(address: string, family: 4 | 6, port: number, hostname: string, protocol: string): Refusal | null
  /** On every new connection to a name that somebody else resolves. */
  checkName(hostname: string, protocol: string): Refusal | null
}

/** Where one of the server's own sockets listens; `0.0.0.0` and `::` stand for every local address. */
export interface ListenAddress {
  host: string
  port: number
}

/** The policy with the part that is only known once the server listens. */
export interface ConfiguredEgressPolicy extends EgressPolicy {
  /** Closes the server's own listeners; replaces the list given before. */
  setOwnListeners(listeners: readonly ListenAddress[]): void
}

export interface EgressPolicyOptions {
  /**
   * `RUNBELL_EGRESS_ALLOW`: CIDRs, addresses and exact host names reachable besides public addresses over https,
   * also over http. Never re-opens link-local, metadata, multicast or own listeners. @default []
   * @throws RangeError for an entry that is none of them
   */
  allow?: readonly string[]
  /** Plain http to public addresses. @default false */
  allowHttp?: boolean
  /** Loopback, also over http: for `runbell dev`. @default false */
  devLoopback?: boolean
}

/** The policy of guarantees.md, "Egress". Pure but for the list of local addresses read for a wildcard listener. */
export function createEgressPolicy(options: EgressPolicyOptions = {}): ConfiguredEgressPolicy {
  const { allowHttp = false, devLoopback = false } = options
  const { cidrs, hosts } = parseAllowList(options.allow ?? [])
  let listeners: readonly ListenAddress[] = []
  const describe = rememberAddresses()
  const isAllowed = (address: Uint8Array, hostname: string): boolean =>
    hosts.has(bareHost(hostname)) || cidrs.some((block) => inCidr(address, block))

  const policy: ConfiguredEgressPolicy = {
    setOwnListeners: (next) => {
      listeners = [...next]
    },
    checkUrl: (url) => {
      const refusal = checkForm(url)
      if (refusal !== null) return refusal
      const hostname = literalOf(url.hostname)
      const family = isIP(hostname)
      const port = Number(url.port) || (url.protocol === 'http:' ? 80 : 443)
      if (family !== 0) return policy.checkAddress(hostname, family as 4 | 6, port, hostname, url.protocol)
      // A name may still lead into an allow-listed CIDR or to loopback: its addresses decide.
      const mayUseHttp = allowHttp || devLoopback || cidrs.length > 0 || hosts.has(bareHost(hostname))
      if (url.protocol === 'http:' && !mayUseHttp) return httpRefusal(hostname)
      return null
    },
    checkName(hostname, protocol) {
      const name = bareHost(hostname)
      const isAllowedName = hosts.has(name)
      if ((name === 'localhost' || name.endsWith('.localhost')) && !isAllowedName && !devLoopback) {
        return { rule: 'address', detail: `${hostname} is this machine, or that of the proxy` }
      }
      return protocol === 'http:' && !allowHttp && !isAllowedName ? httpRefusal(hostname) : null
    },
    checkAddress: (address, _family, port, hostname, protocol) => {
      const known = describe(address)
      if (known === null) return { rule: 'address', detail: `${address} is not an IP address` }
      const { bytes, effective, reach, name, loopback } = known
      if (reach === 'never') return { rule: 'address', detail: `${address} (${name}) can never be reached` }
      if (isOwnListener(listeners, effective, port, loopback)) {
        return { rule: 'own_listener', detail: `${address} port ${port} is this server itself` }
      }
      if ((devLoopback && loopback) || isAllowed(effective, hostname) || isAllowed(bytes, hostname)) return null
      if (reach !== 'public') return { rule: 'address', detail: `${address} (${name}) is not a public address` }
      return protocol === 'http:' && !allowHttp ? httpRefusal(hostname) : null
    },
  }
  return policy
}

function checkForm(url: URL): Refusal | null {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    return { rule: 'scheme', detail: `only https and http can be reached, not ${url.protocol}` }
  }
  if (url.username !== '' || url.password !== '') {
    return { rule: 'userinfo', detail: 'the URL holds a user name or password' }
  }
  return url.port === '0' ? { rule: 'port', detail: 'port 0 cannot be reached' } : null
}

function httpRefusal(hostname: string): Refusal {
  return { rule: 'http', detail: `${hostname} may be reached over https only` }
}

/** The host of a URL without the brackets of an IPv6 literal. */
export function literalOf(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
}

/** Names are compared in lower case and without the dot of the root. */
function bareHost(hostname: string): string {
  const lower = hostname.toLowerCase()
  return lower.endsWith('.') ? lower.slice(0, -1) : lower
}

interface DescribedAddress extends AddressClass {
  bytes: Uint8Array
  /** What is dialled in the end, see `effectiveAddress`. */
  effective: Uint8Array
}

/** Addresses whose class is kept: a literal in a URL is checked on every send, and classifying costs 1 us. */
const MAX_KEPT_ADDRESSES = 1024

function rememberAddresses(): (address: string) => DescribedAddress | null {
  const known = new Map<string, DescribedAddress>()
  return (address) => {
    const found = known.get(address)
    if (found !== undefined) return found
    const bytes = parseAddress(address)
    if (bytes === null) return null
    const described = { ...classifyAddress(bytes), bytes, effective: effectiveAddress(bytes) }
    if (known.size >= MAX_KEPT_ADDRESSES) known.clear()
    known.set(address, described)
    return described
  }
}

function parseAllowList(entries: readonly string[]): { cidrs: Cidr[]; hosts: Set<string> } {
  const cidrs: Cidr[] = []
  const hosts = new Set<string>()
  for (const entry of entries) {
    const text = literalOf(entry.trim())
    const block = parseCidr(text)
    if (block !== null) cidrs.push(block)
    else if (/^(?!-)[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?$/i.test(text) && !/^[\d.]+$/.test(text)) hosts.add(bareHost(text))
    else throw new RangeError(`egress allow-list: ${JSON.stringify(entry)} is no CIDR, address or host name`)
  }
  return { cidrs, hosts }
}

function isOwnListener(
  listeners: readonly ListenAddress[],
  address: Uint8Array,
  port: number,
  loopback: boolean,
): boolean {
  for (const listener of listeners) {
    if (listener.port !== port) continue
    const host = parseAddress(literalOf(listener.host))
    // A listener given by name (`localhost`) or on all interfaces closes every address of this machine.
    if (host === null || host.every((byte) => byte === 0)) {
      if (loopback || isLocalAddress(address)) return true
    } else if (sameAddress(effectiveAddress(host), address)) return true
  }
  return false
}

/** Read at each call, and only when the port is one of ours: interfaces come and go. */
function isLocalAddress(address: Uint8Array): boolean {
  return Object.values(networkInterfaces()).some((list) =>
    list?.some((entry) => {
      const local = parseAddress(entry.address)
      return local !== null && sameAddress(local, address)
    }),
  )
}
