import { describe, expect, it } from 'vitest'
import type { NewDiagnostic } from '../store/diagnostics.ts'
import { StoreUnavailable } from '../store/store.ts'
import { DiagnosticIntake } from './diagnostic-intake.ts'

function some(count: number, length = 10): NewDiagnostic[] {
  return Array.from({ length: count }, () => ({
    ...{ mode: 'live' as const, tenantId: 'a', runId: null, traceId: null, name: 'x', severity: 2, recordedAt: 0 },
    body: 'x'.repeat(length),
  }))
}

/** A store whose commits end when a test says so. */
function world() {
  const commits: { size: number; end(): void; fail(): void }[] = []
  const store = {
    append: ({ diagnostics }: { diagnostics: readonly NewDiagnostic[] }) =>
      new Promise<void>((resolve, reject) => {
        const fail = () => reject(new StoreUnavailable('unavailable', 'away'))
        commits.push({ size: diagnostics.length, end: resolve, fail })
      }),
  }
  const timers: (() => void)[] = []
  const clock = { after: (_ms: number, run: () => void) => (timers.push(run), () => {}) }
  const tick = async () => {
    for (const run of timers.splice(0)) run()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { commits, tick, intake: new DiagnosticIntake({ store, clock }) }
}

describe('the way of diagnostics into their store', () => {
  it('shares commits, one at a time, and whole requests', async () => {
    const { commits, tick, intake } = world()
    const first = intake.add(some(3))
    const second = intake.add(some(4))
    await tick()
    expect(commits.map(({ size }) => size)).toEqual([7])
    const more = [intake.add(some(400)), intake.add(some(400)), intake.add(some(900))]
    await tick()
    expect(commits).toHaveLength(1)
    for (let index = 0; index < 4; index++) {
      commits[index]?.end()
      await tick()
    }
    expect(commits.map(({ size }) => size)).toEqual([7, 400, 400, 900])
    await Promise.all([first, second, ...more])
  })

  it('tells those alone whose commit failed, and goes on', async () => {
    const { commits, tick, intake } = world()
    const lost = intake.add(some(1))
    await tick()
    const next = intake.add(some(1))
    commits[0]?.fail()
    await expect(lost).rejects.toThrow('away')
    await tick()
    commits[1]?.end()
    await next
    expect(intake.isFull).toBe(false)
  })

  it('takes none beyond what may wait, and takes again when it went', async () => {
    const { commits, tick, intake } = world()
    const waiting = Array.from({ length: 9 }, () =>
      intake.add(some(1, 1024 * 1024)).then(
        () => 'kept',
        () => 'refused',
      ),
    )
    expect(intake.isFull).toBe(true)
    await tick()
    for (let index = 0; index < 9; index++) {
      commits[index]?.end()
      await tick()
    }
    expect(await Promise.all(waiting)).toEqual([...Array.from({ length: 8 }, () => 'kept'), 'refused'])
    expect(intake.isFull).toBe(false)
    const again = intake.add(some(1))
    await tick()
    commits.at(-1)?.end()
    await again
  })
})
