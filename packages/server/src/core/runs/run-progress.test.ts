import { describe, expect, it } from 'vitest'
import { NEW_RUN, type LifecycleFact } from '../catalog/lifecycle-fact.ts'
import { followLifecycle } from '../catalog/lifecycle.ts'
import { followProgress, NO_PROGRESS, type RunProgress } from './run-progress.ts'

type Step = [type: string, status: string | null, parentRunId?: string]

function follow(steps: Step[]): RunProgress {
  let run = NEW_RUN
  let progress = NO_PROGRESS
  steps.forEach(([type, status, parentRunId = null as unknown as string], index) => {
    const fact: LifecycleFact = {
      type,
      status,
      child: null,
      parentRunId: parentRunId ?? null,
      decideBy: null,
      strict: false,
      byService: false,
    }
    const step = followLifecycle(run, null, fact)
    if (step.kind === 'refused') return
    const place = { sequence: index + 1, recordedAt: 1000 + index }
    progress = followProgress(progress, fact, { before: run, after: step.run, place })
    run = step.run
  })
  return progress
}

describe('the progress of a run', () => {
  it('has the status of the latest event about the run itself, and where that was', () => {
    expect(
      follow([
        ['agent.run.started', 'running', 'parent'],
        ['agent.tool_call.started', 'running'],
        ['agent.run.waiting', 'waiting'],
        ['agent.approval.requested', 'pending'],
      ]),
    ).toEqual({ status: 'waiting', statusAt: 3, failureAt: null, endedAt: null, parentRunId: 'parent' })
  })

  it.each([
    ['agent.run.failed', 'timed_out'],
    ['agent.run.failed', 'rejected'],
    ['agent.run.completed', 'completed'],
    ['agent.run.cancelled', 'cancelled'],
  ])('ends with %s as %s, and stays so whatever comes later', (type, status) => {
    const late: Step[] = [
      ['agent.run.resumed', 'running'],
      ['agent.run.cancelled', 'cancelled'],
      ['agent.message.sent', 'sent'],
    ]
    const ended = follow([['agent.run.started', 'running'], [type, status], ...late])
    expect(ended).toMatchObject({ status, statusAt: 2, endedAt: 1001 })
  })

  it('remembers the latest failure, also of a tool and after the end', () => {
    expect(follow([['agent.tool_call.failed', 'failed']])).toMatchObject({ status: null, failureAt: 1 })
    const steps: Step[] = [
      ['agent.run.started', 'running'],
      ['agent.run.retrying', 'retrying'],
      ['agent.run.resumed', 'running'],
      ['agent.run.completed', 'completed'],
      ['agent.tool_call.failed', 'timed_out'],
    ]
    expect(follow(steps.slice(0, 4)).failureAt).toBe(2)
    expect(follow(steps).failureAt).toBe(5)
  })

  it('takes no word for a status that is none, and no status from what is not about the run', () => {
    const progress = follow([
      ['agent.run.started', 'running'],
      ['agent.run.paused', 'paused'],
      ['agent.run.noted', null],
      ['acme.invoice.sent', 'failed'],
    ])
    expect(progress).toMatchObject({ status: 'running', statusAt: 1, endedAt: null })
  })

  it('has one parent, the first that was named', () => {
    expect(
      follow([
        ['agent.run.started', 'running', 'one'],
        ['agent.run.started', 'running', 'two'],
      ]).parentRunId,
    ).toBe('one')
  })
})
