import type { EgressProxySettings } from '../config/egress-proxy-settings.ts'
import type { EgressProxy } from '../delivery/proxy-tunnel.ts'

/** The proxy that deliveries leave through, as the transport takes it. */
export function egressProxy({ egressProxy: url, egressProxyDns: dns }: EgressProxySettings): EgressProxy | null {
  if (url === null) return null
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  const authorization = credentials === ':' ? null : `Basic ${Buffer.from(credentials).toString('base64')}`
  return { host, port: Number(url.port) || 80, authorization, dns }
}
