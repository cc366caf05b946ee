import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ALLOWED, CANARIES, LITERALS, NAMES, PUBLIC, type Findings } from './egress/hosts.ts'

const INSIDE = fileURLToPath(new URL('./egress/inside.ts', import.meta.url))
const TOO_LONG_MS = 120_000

/** Why it cannot be done here; `null`: it can. */
function obstacle(): string | null {
  if (process.getuid?.() !== 0) return 'a network of its own needs root'
  const tools = spawnSync('sh', ['-c', 'command -v ip && command -v unshare'])
  if (tools.status !== 0) return 'ip (Debian package iproute2) or unshare (util-linux) is not there'
  const works = spawnSync('unshare', ['--net', '--mount', 'ip', 'link', 'set', 'lo', 'up'])
  return works.status === 0 ? null : 'this system does not let networks be made'
}

const cannot = obstacle()
if (cannot !== null) console.log(`skipped: egress in a network of its own, because ${cannot}`)

/** Everything is gone with the process: nothing of it is seen from outside. */
function runInside(resolvConf: string): Findings {
  const addresses = [...CANARIES, ...PUBLIC, ...ALLOWED].filter(
    (address) => address !== '::1' && !address.startsWith('127.'),
  )
  const setUp = [
    'set -e',
    'ip link set lo up',
    ...addresses.map((address) => `ip addr add ${address}/${address.includes(':') ? '128 nodad' : '32'} dev lo`),
    'mount --bind "$1" /etc/resolv.conf',
    'exec "$2" --conditions=runbell-source "$3"',
  ]
  const args = ['--net', '--mount', 'sh', '-c', setUp.join('\n'), 'sh', resolvConf, process.execPath, INSIDE]
  const output = execFileSync('unshare', args, { timeout: TOO_LONG_MS, stdio: ['ignore', 'pipe', 'inherit'] })
  return JSON.parse(output.toString().trim().split('\n').at(-1) ?? '') as Findings
}

describe.skipIf(cannot !== null)('the one door out, in a network where every forbidden address answers', () => {
  let findings: Findings
  const folder = mkdtempSync(join(tmpdir(), 'runbell-network-'))

  beforeAll(() => {
    writeFileSync(join(folder, 'resolv.conf'), 'nameserver 127.0.0.53\noptions timeout:2 attempts:1\n')
    findings = runInside(join(folder, 'resolv.conf'))
  }, TOO_LONG_MS)
  afterAll(() => rmSync(folder, { recursive: true }))

  test('not one connection is accepted where nobody may come', () => {
    expect(CANARIES.filter((address) => (findings.accepted[address] ?? 0) > 0)).toEqual([])
    // They were there all the time, and would have taken it.
    expect(findings.listening).toEqual(CANARIES)
  })

  test('public stand-ins are reached, over IPv4, IPv6 and through an alias', () => {
    for (const address of [...PUBLIC, ...ALLOWED]) expect(findings.accepted[address]).toBeGreaterThan(0)
    for (const name of ['public', 'six', 'alias', 'rebind', 'in-allowed-cidr']) {
      expect([name, findings.names[`${name}.receiver.test`]]).toEqual([name, 'delivered delivered'])
    }
  })

  test('every other name is refused when it is to be dialled, whatever it said before', () => {
    const reached = ['public', 'six', 'alias', 'rebind', 'flip', 'in-allowed-cidr'].map(
      (name) => `${name}.receiver.test`,
    )
    const others = Object.keys(NAMES).filter((name) => !reached.includes(name))
    expect(others.length).toBeGreaterThan(10)
    for (const name of others) {
      const blocked = 'dead_lettered blocked_address blocked_address blocked_address'
      expect([name, findings.names[name]]).toEqual([name, blocked])
    }
    expect(findings.names['flip.receiver.test']).toMatch(/^delivered blocked_address(?: blocked_address)? delivered$/)
  })

  test('a test of an endpoint reaches what deliveries reach, and nothing else', () => {
    const { tests } = findings
    for (const name of ['public', 'six', 'alias', 'in-allowed-cidr']) {
      expect([name, tests[`${name}.receiver.test`]]).toEqual([name, 'delivered'])
    }
    // What changes its mind from query to query may be either, as long as no canary is reached.
    const moody = ['public', 'six', 'alias', 'in-allowed-cidr', 'rebind', 'flip'].map((name) => `${name}.receiver.test`)
    const others = Object.entries(tests).filter(([name]) => !moody.includes(name))
    expect(others.length).toBeGreaterThan(10)
    for (const [name, outcome] of others) expect([name, outcome]).toEqual([name, 'blocked_address'])
  })

  test('literals in every spelling are refused when an endpoint is made or changed', () => {
    for (const host of LITERALS) {
      if (host === 'localhost') continue
      const expected = [host, 'refused: url_not_allowed', 'changed: 422']
      expect([host, findings.literals[host], findings.changes[host]]).toEqual(expected)
    }
    expect(findings.literals['localhost']).toMatch(/^dead_lettered (?:connect_failed|blocked_address)/)
    expect(findings.own).toBe('refused: url_not_allowed')
  })
})
