import { isIP } from 'node:net'
import { lookup } from 'node:dns/promises'
import type { Settings } from '../../config/settings.ts'
import { createEgressPolicy, literalOf, type ConfiguredEgressPolicy } from '../../delivery/egress-policy.ts'
import type { Inspection } from '../../store/inspection.ts'
import { fail, ok, warn, type Check } from './check.ts'

/** Names that are resolved; more would take too long for somebody who waits. */
const MAX_NAMES = 100
/** Names that are resolved at once. */
const AT_ONCE = 8
const LOOKUP_MS = 5000
/** Findings of one kind that are named. */
const MAX_NAMED = 5

type Resolve = (name: string) => Promise<{ address: string; family: number }[]>

/**
 * Whether the targets of endpoints may be reached, and their names resolve. Nothing connects to them: that is for deliveries, and for
 * `POST /v1/endpoints/{id}/test`.
 */
export async function checkEgress(
  settings: Settings,
  command: 'dev' | 'start',
  inspection: Inspection | null,
  resolve: Resolve = resolveName,
): Promise<Check[]> {
  let policy: ConfiguredEgressPolicy
  try {
    policy = createEgressPolicy({ allow: settings.egressAllow, devLoopback: command === 'dev' })
  } catch (error) {
    return [
      fail('egress', `RUNBELL_EGRESS_ALLOW: ${(error as Error).message}`, 'Write CIDRs, addresses or host names.'),
    ]
  }
  const proxy = await checkProxy(settings, resolve)
  if (proxy?.status === 'fail') return [proxy]
  const resolvedElsewhere = settings.egressProxy !== null && settings.egressProxyDns === 'proxy'
  const origins = originsOf(inspection?.content?.urls ?? [])
  const looked = origins.slice(0, MAX_NAMES)
  const refused: string[] = []
  const unresolved: string[] = []
  const queue = looked.values()
  const work = async () => {
    for (const url of queue) {
      const found = await judge(url, policy, resolvedElsewhere ? null : resolve)
      if (found.unresolved === true) unresolved.push(url.hostname)
      else if (found.refusal !== null) refused.push(`${url.hostname}: ${found.refusal}`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return [...(proxy === null ? [] : [proxy]), ...report(origins.length, looked.length, refused, unresolved)]
}

function report(total: number, looked: number, refused: string[], unresolved: string[]): Check[] {
  const checks: Check[] = []
  if (unresolved.length > 0) {
    const fix = 'Check these names, and the resolver of this machine.'
    checks.push(warn('egress', `${unresolved.length} hosts of endpoints do not resolve: ${named(unresolved)}`, fix))
  }
  if (refused.length > 0) {
    const fix = 'Correct the endpoints, or allow what is meant with RUNBELL_EGRESS_ALLOW.'
    checks.push(warn('egress', `${refused.length} endpoints may not be reached: ${named(refused)}`, fix))
  }
  if (checks.length > 0) return checks
  if (total === 0) return [ok('egress', 'there are no endpoints with a URL yet')]
  const some = looked < total ? `${looked} of ${total}` : `all ${total}`
  return [ok('egress', `${some} hosts of endpoints may be reached; their names resolve`)]
}

function named(findings: string[]): string {
  const more = findings.length > MAX_NAMED ? ` and ${findings.length - MAX_NAMED} more` : ''
  return findings.slice(0, MAX_NAMED).join('; ').replaceAll(/\p{C}/gu, '') + more
}

async function judge(
  url: URL,
  policy: ConfiguredEgressPolicy,
  resolve: Resolve | null,
): Promise<{ refusal: string | null; unresolved?: boolean }> {
  const refusal = policy.checkUrl(url)
  if (refusal !== null) return { refusal: refusal.detail }
  const host = literalOf(url.hostname)
  if (isIP(host) !== 0) return { refusal: null }
  if (resolve === null) return { refusal: policy.checkName(host, url.protocol)?.detail ?? null }
  let addresses: Awaited<ReturnType<Resolve>>
  try {
    addresses = await resolve(host)
  } catch {
    return { refusal: null, unresolved: true }
  }
  const port = Number(url.port) || (url.protocol === 'http:' ? 80 : 443)
  for (const { address, family } of addresses) {
    const forbidden = policy.checkAddress(address, family as 4 | 6, port, host, url.protocol)
    if (forbidden !== null) return { refusal: forbidden.detail }
  }
  return { refusal: null }
}

function originsOf(urls: readonly string[]): URL[] {
  const origins = new Set(urls.flatMap((text) => URL.parse(text)?.origin ?? []))
  return [...origins].flatMap((origin) => URL.parse(origin) ?? [])
}

async function checkProxy({ egressProxy }: Settings, resolve: Resolve): Promise<Check | null> {
  if (egressProxy === null) return null
  const host = literalOf(egressProxy.hostname)
  try {
    if (isIP(host) === 0) await resolve(host)
    return ok('egress', `deliveries leave through the proxy ${host}`)
  } catch {
    return fail('egress', `the egress proxy ${host} does not resolve`, 'Check RUNBELL_EGRESS_PROXY and the resolver.')
  }
}

async function resolveName(name: string): Promise<{ address: string; family: number }[]> {
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error('too late')), LOOKUP_MS).unref()
  })
  return await Promise.race([lookup(name, { all: true, verbatim: true }), late])
}
