import { describe, expect, it } from 'vitest'
import type { ChildPhase, LifecycleFact, LifecycleStep, RunState } from './lifecycle-fact.ts'
import { NEW_RUN } from './lifecycle-fact.ts'
import { followLifecycle } from './lifecycle.ts'

const fact = (type: string, more: Partial<LifecycleFact> = {}): LifecycleFact => ({
  type: `agent.${type}`,
  status: null,
  child: null,
  parentRunId: null,
  decideBy: null,
  strict: false,
  byService: false,
  ...more,
})

/** What the runs of a table have been through when they are where a row begins. */
const WAYS: Record<string, string[]> = {
  none: [],
  queued: ['queued'],
  running: ['started'],
  waiting: ['started', 'waiting'],
  retrying: ['started', 'retrying'],
  outcome_unknown: ['started', 'outcome_unknown'],
}

/** contract.md, "Status", written out again: what may come from where. */
const MAY_FOLLOW: Record<string, string[]> = {
  none: ['queued', 'started'],
  queued: ['started', 'cancelled', 'failed'],
  running: [
    ...['waiting', 'retrying', 'handed_off', 'completed', 'partially_completed', 'failed', 'cancelled'],
    'outcome_unknown',
  ],
  waiting: ['resumed', 'partially_completed', 'failed', 'cancelled', 'outcome_unknown'],
  retrying: ['resumed', 'failed', 'cancelled', 'outcome_unknown'],
  outcome_unknown: ['resumed', 'completed', 'partially_completed', 'failed', 'cancelled'],
}
const ENDS = ['completed', 'partially_completed', 'failed', 'cancelled']
const ALL = ['queued', 'started', 'waiting', 'resumed', 'retrying', 'handed_off', 'outcome_unknown', ...ENDS]

function taken(step: LifecycleStep): Extract<LifecycleStep, { kind: 'taken' }> {
  if (step.kind === 'refused') throw new Error(step.message)
  return step
}

function runAfter(names: readonly string[]): RunState {
  return names.reduce((run, name) => taken(followLifecycle(run, null, fact(`run.${name}`))).run, NEW_RUN)
}

describe('a run', () => {
  const pairs = Object.keys(WAYS).flatMap((from) => ALL.map((name) => [from, name] as const))
  it.each(pairs)('that is %s: agent.run.%s', (from, name) => {
    const step = followLifecycle(runAfter(WAYS[from] ?? []), null, fact(`run.${name}`))
    const { warnings, run } = taken(step)
    expect(warnings.length === 0).toBe(MAY_FOLLOW[from]?.includes(name))
    // The state follows the facts, also one that broke the order.
    expect(run.endedBy).toBe(ENDS.includes(name) ? `agent.run.${name}` : null)
    const strict = followLifecycle(runAfter(WAYS[from] ?? []), null, fact(`run.${name}`, { strict: true }))
    expect(strict.kind).toBe(MAY_FOLLOW[from]?.includes(name) ? 'taken' : 'refused')
    if (strict.kind === 'refused') expect(strict).toMatchObject({ code: 'state_conflict', message: warnings[0] })
  })

  it.each(ENDS.flatMap((end) => ALL.map((name) => [end, name] as const)))(
    'that has ended %s: agent.run.%s',
    (end, name) => {
      const ended = runAfter(['started', end])
      const step = followLifecycle(ended, null, fact(`run.${name}`))
      if (ENDS.includes(name)) {
        expect(step).toMatchObject({ kind: 'refused', code: 'run_already_ended' })
      } else {
        expect(taken(step).warnings).toHaveLength(1)
        expect(taken(step).run).toEqual(ended)
        expect(followLifecycle(ended, null, fact(`run.${name}`, { strict: true })).kind).toBe('refused')
      }
    },
  )

  it('is started once, wherever it has been since', () => {
    for (const way of [['started'], ['started', 'waiting', 'resumed'], ['queued', 'started', 'retrying']]) {
      const { warnings } = taken(followLifecycle(runAfter(way), null, fact('run.started')))
      expect(warnings).toEqual(['agent.run.started came a second time'])
    }
  })

  it('goes on after its outcome was unknown, and ends once', () => {
    const way = ['queued', 'started', 'waiting', 'outcome_unknown', 'resumed', 'retrying', 'resumed', 'completed']
    expect(runAfter(way)).toMatchObject({ phase: 'ended', endedBy: 'agent.run.completed' })
  })

  it('is not moved by what is not about it, and what comes late is flagged', () => {
    const running = runAfter(['started'])
    for (const type of ['message.sent', 'memory.updated', 'artifact.created', 'constructor', 'run.__proto__']) {
      const step = taken(followLifecycle(running, null, fact(type)))
      expect(step).toMatchObject({ run: running, child: null, warnings: [] })
      const late = taken(followLifecycle(runAfter(['started', 'failed']), null, fact(type)))
      expect(late.warnings[0]).toContain('after the run had ended with agent.run.failed')
    }
  })
})

/** Follows facts about one child; what each was flagged with, or the code it was refused with. */
function follow(kind: 'tool_call' | 'approval', names: readonly string[], strict = false): string[] {
  let child: ChildPhase | null = null
  return names.map((name) => {
    const step = followLifecycle(
      runAfter(['started']),
      child,
      fact(`${kind}.${name}`, { child: { kind, id: 'c' }, strict }),
    )
    if (step.kind === 'refused') return step.code
    child = step.child ?? child
    return step.warnings.join('; ')
  })
}

describe('what breaks the order', () => {
  it('moves the run nevertheless, and what follows is held against where it is then', () => {
    const run = runAfter(['queued', 'completed'])
    expect(run).toEqual({ phase: 'ended', started: false, endedBy: 'agent.run.completed' })
    expect(runAfter(['waiting', 'resumed'])).toMatchObject({ phase: 'running', started: false })
    // It was never started, so this is no second time; that it came while the run was running is said.
    const { warnings } = taken(followLifecycle(runAfter(['waiting', 'resumed']), null, fact('run.started')))
    expect(warnings).toEqual(['agent.run.started came while the run was running'])
  })

  it('changes nothing where it is refused', () => {
    const before = runAfter(['started'])
    const copy = { ...before }
    expect(followLifecycle(before, null, fact('run.resumed', { strict: true })).kind).toBe('refused')
    expect(before).toEqual(copy)
  })

  it('is told of the run and of its child, each in a sentence', () => {
    const ended = runAfter(['started', 'completed'])
    const child = { kind: 'tool_call', id: 'c' } as const
    const { warnings } = taken(followLifecycle(ended, 'ended', fact('tool_call.completed', { child })))
    expect(warnings).toEqual([
      'agent.tool_call.completed came after the run had ended with agent.run.completed',
      'agent.tool_call.completed came after the tool call had ended',
    ])
    const strict = followLifecycle(ended, null, fact('tool_call.started', { child, strict: true }))
    expect(strict).toMatchObject({ kind: 'refused', code: 'run_already_ended' })
  })

  it('is only what is about a run or its children: other types of a run that goes on are taken', () => {
    for (const name of ['agent.run.paused', 'acme.invoice.drafted', 'toString']) {
      const step = taken(followLifecycle(runAfter(['started']), null, { ...fact(''), type: name, strict: true }))
      expect(step.warnings).toEqual([])
    }
  })
})

describe('a tool call', () => {
  const ends = ['completed', 'failed', 'timed_out', 'denied']

  it('is started and ends, or ends without having been started', () => {
    for (const end of ends.filter((name) => name !== 'denied'))
      expect(follow('tool_call', ['started', end])).toEqual(['', ''])
    for (const end of ends) expect(follow('tool_call', [end])).toEqual([''])
  })

  it('ends once', () => {
    for (const first of ends) {
      for (const second of ends) {
        expect(follow('tool_call', [first, second])[1]).toContain('after the tool call had ended')
        expect(follow('tool_call', [first, second], true)[1]).toBe('state_conflict')
      }
    }
  })

  it('is not denied after it was started, not started twice and not after its end', () => {
    expect(follow('tool_call', ['started', 'denied'])[1]).toContain('denied came after the tool call had started')
    expect(follow('tool_call', ['started', 'started'])[1]).toContain('a second time')
    expect(follow('tool_call', ['completed', 'started'])[1]).toContain('after the tool call had ended')
  })
})

describe('an approval', () => {
  const decisions = ['approved', 'denied', 'expired', 'cancelled']

  it('is requested and then decided, once', () => {
    for (const first of decisions) {
      expect(follow('approval', ['requested', first])).toEqual(['', ''])
      for (const second of decisions) {
        expect(follow('approval', ['requested', first, second])[2]).toContain('after the approval had been decided')
        expect(follow('approval', ['requested', first, second], true)[2]).toBe('approval_already_decided')
      }
    }
  })

  it('is not decided before it is requested, and not requested twice', () => {
    expect(follow('approval', ['approved'])[0]).toContain('before the approval was requested')
    expect(follow('approval', ['requested', 'requested'])[1]).toContain('a second time')
    // Whether it was requested before is not known any more: a decision may have overtaken its request.
    for (const way of [
      ['requested', 'denied', 'requested'],
      ['approved', 'requested'],
    ])
      expect(follow('approval', way).at(-1)).toContain('requested came after the approval had been decided')
    expect(follow('approval', ['requested', 'denied', 'requested'], true)[2]).toBe('state_conflict')
  })
})
