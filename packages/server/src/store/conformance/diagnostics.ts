import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DiagnosticFilter, DiagnosticPage, DiagnosticStore, NewDiagnostic } from '../diagnostics.ts'
import type { ReadScope } from '../rows.ts'
import { LIVE, MINUTE, T0 } from './builders.ts'

export interface DiagnosticHarness {
  store: DiagnosticStore
  /** Closes it and opens it again on the same data; left out where it keeps nothing. */
  reopen?(): Promise<DiagnosticStore>
  cleanup(): Promise<void>
}

const ANY: DiagnosticFilter = { runId: null, traceId: null, names: [], leastSeverity: 0, since: null, until: null }
const ACME: ReadScope = { mode: 'live', tenantId: 'acme' }
const TEST: ReadScope = { mode: 'test', tenantId: null }
const TRACE = '5b8efff798038103d269b633813fc60c'

let made = 0

/** Each has a body of its own, by which it is told apart. */
function diagnostic(more: Partial<NewDiagnostic> = {}): NewDiagnostic {
  return {
    ...{ mode: 'live', tenantId: 'acme', runId: null, traceId: null, name: 'model.call', severity: 2, recordedAt: T0 },
    body: `{"n":${++made}}`,
    ...more,
  }
}

/** Registers the tests that every store of diagnostics has to pass. */
export function describeDiagnosticStore(name: string, make: () => Promise<DiagnosticHarness>): void {
  describe(`diagnostics: ${name}`, () => {
    let harness: DiagnosticHarness
    let store: DiagnosticStore
    beforeEach(async () => {
      harness = await make()
      store = harness.store
    })
    afterEach(() => harness.cleanup())

    const keep = async (...diagnostics: NewDiagnostic[]) => {
      await store.append({ diagnostics })
      return diagnostics.map(({ body }) => body)
    }
    const list = async (
      filter: Partial<DiagnosticFilter> = {},
      scope: ReadScope = LIVE,
      page: Partial<DiagnosticPage> = {},
    ) => {
      const whole = { limit: 100, order: 'oldest' as const, after: null, ...page }
      const { rows, next } = await store.list({ scope, filter: { ...ANY, ...filter }, page: whole })
      return { rows, next, bodies: rows.map(({ body }) => body) }
    }

    it('has nothing at first, and says so', async () => {
      expect(await list()).toMatchObject({ rows: [], next: null })
      expect(await store.lastPosition()).toBe(0)
      expect(await store.prune({ mode: 'live', before: T0, limit: 10 })).toBe(0)
    })

    it('keeps what it is given as it is, in the order it came', async () => {
      const odd = { tenantId: 'späti "7" \\ {,}', runId: 'run-1', traceId: TRACE, body: '{"text":"\\u0000 \\ud800 €"}' }
      const diagnostics = [diagnostic(), diagnostic({ ...odd, name: 'tool.retry', severity: 5 })]
      await keep(...diagnostics)
      const { rows } = await list()
      expect(rows.map(({ position: _, ...row }) => row)).toEqual(diagnostics)
      expect(await store.lastPosition()).toBe(rows.at(-1)?.position)
    })

    it('shows a scope its own', async () => {
      const [acme] = await keep(diagnostic(), diagnostic({ tenantId: 'other' }), diagnostic({ mode: 'test' }))
      expect((await list({}, ACME)).bodies).toEqual([acme])
      expect((await list({}, LIVE)).rows).toHaveLength(2)
      expect((await list({}, TEST)).rows).toHaveLength(1)
      expect((await list({}, { mode: 'test', tenantId: 'other' })).rows).toEqual([])
    })

    it.each<[string, Partial<DiagnosticFilter>, number[]]>([
      ['run', { runId: 'run-1' }, [0, 3]],
      ['trace', { traceId: TRACE }, [1]],
      ['run and severity', { runId: 'run-1', leastSeverity: 4 }, [3]],
      ['name', { names: ['tool.retry'] }, [2]],
      ['glob', { names: ['tool.*', 'model.*'] }, [0, 1, 2, 3]],
      ['since', { since: T0 + MINUTE }, [1, 2, 3]],
      ['until', { until: T0 + 2 * MINUTE }, [0, 1]],
      ['both', { since: T0 + MINUTE, until: T0 + 2 * MINUTE }, [1]],
      ['a time before any', { until: T0 }, []],
      ['a time after any', { since: T0 + 9 * MINUTE }, []],
      ['a run that is none', { runId: 'run-9' }, []],
    ])('finds by %s', async (_what, filter, expected) => {
      const bodies = await keep(
        diagnostic({ runId: 'run-1' }),
        diagnostic({ traceId: TRACE, recordedAt: T0 + MINUTE }),
        diagnostic({ name: 'tool.retry', recordedAt: T0 + 2 * MINUTE }),
        diagnostic({ runId: 'run-1', severity: 4, recordedAt: T0 + 3 * MINUTE }),
      )
      const wanted = expected.map((index) => bodies[index])
      for (const scope of [LIVE, ACME]) {
        expect((await list(filter, scope)).bodies).toEqual(wanted)
        expect((await list(filter, scope, { order: 'newest' })).bodies).toEqual(wanted.toReversed())
      }
    })

    it.each(['oldest', 'newest'] as const)('gives page by page, %s first, each once', async (order) => {
      const bodies = await keep(...Array.from({ length: 7 }, (_, index) => diagnostic({ severity: index % 2 })))
      const odd = bodies.filter((_, index) => index % 2 === 1)
      const seen: string[] = []
      for (let after: number | null = null, pages = 0; pages === 0 || after !== null; pages++) {
        const page = await list({ leastSeverity: 1 }, ACME, { order, after, limit: 2 })
        seen.push(...page.bodies)
        after = page.next
        expect(pages).toBeLessThan(5)
      }
      expect(seen).toEqual(order === 'oldest' ? odd : odd.toReversed())
    })

    it('goes on behind a position, which no other ever gets', async () => {
      await keep(diagnostic(), diagnostic())
      const last = await store.lastPosition()
      await store.prune({ mode: 'live', before: T0 + 1, limit: 10 })
      expect((await list()).rows).toEqual([])
      const [next] = await keep(diagnostic())
      const { rows, bodies } = await list({}, LIVE, { after: last })
      expect(bodies).toEqual([next])
      expect(rows[0]?.position).toBeGreaterThan(last)
    })

    it('removes by age, oldest first, in pieces, in one mode', async () => {
      const old = Array.from({ length: 3 }, (_, index) => diagnostic({ recordedAt: T0 - 3 + index }))
      const stays = await keep(diagnostic({ recordedAt: T0 }), diagnostic({ mode: 'test', recordedAt: 0 }))
      const bodies = await keep(...old)
      expect(await store.prune({ mode: 'live', before: T0, limit: 2 })).toBe(2)
      expect((await list()).bodies).toEqual([stays[0], bodies[2]])
      expect(await store.prune({ mode: 'live', before: T0, limit: 2 })).toBe(1)
      expect((await list()).bodies).toEqual([stays[0]])
      expect((await list({}, TEST)).bodies).toEqual([stays[1]])
    })

    it('keeps no more than so many', async () => {
      const bodies = await keep(...Array.from({ length: 6 }, () => diagnostic()))
      expect(await store.pruneBeyond({ keep: 6, limit: 10 })).toBe(0)
      expect(await store.pruneBeyond({ keep: 2, limit: 3 })).toBe(3)
      expect(await store.pruneBeyond({ keep: 2, limit: 3 })).toBe(1)
      expect((await list()).bodies).toEqual(bodies.slice(4))
    })

    it('erases those of a run of one tenant', async () => {
      const run = { runId: 'run-1' }
      const stays = [diagnostic({ ...run, tenantId: 'other' }), diagnostic({ ...run, mode: 'test' }), diagnostic()]
      await keep(diagnostic(run), diagnostic(run), ...stays)
      expect(await store.erase({ scope: ACME, runId: 'run-1', limit: 1 })).toBe(1)
      expect(await store.erase({ scope: ACME, runId: 'run-1', limit: 5 })).toBe(1)
      expect((await list()).rows).toHaveLength(2)
      expect((await list({}, TEST)).rows).toHaveLength(1)
    })

    it('has everything again after it was opened anew', async () => {
      if (harness.reopen === undefined) return
      const bodies = await keep(diagnostic(), diagnostic())
      store = await harness.reopen()
      expect((await list()).bodies).toEqual(bodies)
    })

    it('refuses after it was closed', async () => {
      await store.close()
      if (harness.reopen === undefined) return
      await expect(store.append({ diagnostics: [diagnostic()] })).rejects.toMatchObject({ code: 'unavailable' })
    })
  })
}
