import { describe, expect, it } from 'vitest'
import { DiagnosticGate } from './diagnostic-gate.ts'

const ACME = { mode: 'live', tenantId: 'acme' } as const
const OTHER = { mode: 'live', tenantId: 'other' } as const

function gate(perTenant: number, perNode: number) {
  const clock = { now: 0, monotonic: () => clock.now }
  return { clock, gate: new DiagnosticGate({ clock, perTenant, perNode }) }
}

describe('the gate of diagnostics', () => {
  it('takes a request whole, and has its tenant wait until it owes nothing', () => {
    const { clock, gate: at } = gate(10, 1000)
    expect(at.take(ACME, 50)).toBe(0)
    // 20 were there: 30 are owed, and there has to be one.
    expect(at.wait(ACME)).toBe(3100)
    expect(at.take(ACME, 1)).toBe(3100)
    clock.now = 3000
    expect(at.take(ACME, 1)).toBe(100)
    clock.now = 3100
    expect(at.take(ACME, 1)).toBe(0)
  })

  it('keeps tenants and modes apart', () => {
    const { gate: at } = gate(10, 1000)
    at.take(ACME, 100)
    expect([at.wait(OTHER), at.wait({ ...ACME, mode: 'test' }), at.wait(null)]).toEqual([0, 0, 0])
    expect(at.take(OTHER, 1)).toBe(0)
  })

  it('makes everybody wait where the node has taken too many', () => {
    const { clock, gate: at } = gate(1000, 10)
    at.take(ACME, 30)
    expect([at.wait(null), at.wait(OTHER)]).toEqual([1100, 1100])
    clock.now = 1100
    expect(at.wait(OTHER)).toBe(0)
  })

  it('lets no more through over time than its rate, whatever the requests are', () => {
    const { clock, gate: at } = gate(100, 100)
    let taken = 0
    for (clock.now = 0; clock.now < 60_000; clock.now += 7) {
      const size = 1 + ((clock.now * 31) % 90)
      if (at.wait(ACME) === 0 && at.take(ACME, size) === 0) taken += size
    }
    expect(taken).toBeLessThanOrEqual(100 * 60 + 200 + 90)
    expect(taken).toBeGreaterThan(100 * 60 * 0.9)
  })

  it('remembers no more tenants than it may', () => {
    const { gate: at } = gate(10, 1e9)
    for (let index = 0; index < 30_000; index++) at.take({ mode: 'live', tenantId: `t${index}` }, 15)
    expect(at.take({ mode: 'live', tenantId: 'new' }, 1)).toBe(0)
  })
})
