import type {
  ChildPhase,
  LifecycleFact,
  LifecycleRefusal,
  LifecycleStep,
  RunPhase,
  RunState,
} from './lifecycle-fact.ts'

/*
 * A run (contract, "Status"):
 *
 *   none ──▶ queued ──▶ running ◀──▶ waiting, retrying
 *     └────────────────▶ │             │
 *                        ├─────────────┴──▶ unknown ──▶ running again, or ended
 *                        └──▶ ended: completed, partially_completed, failed, cancelled
 */

interface RunRule {
  from: readonly RunPhase[]
  to: RunPhase
}

const ALIVE = ['running', 'waiting', 'unknown'] as const

const RUN_RULES: Readonly<Record<string, RunRule>> = {
  'agent.run.queued': { from: ['none'], to: 'queued' },
  'agent.run.started': { from: ['none', 'queued'], to: 'running' },
  'agent.run.waiting': { from: ['running'], to: 'waiting' },
  'agent.run.retrying': { from: ['running'], to: 'retrying' },
  'agent.run.handed_off': { from: ['running'], to: 'running' },
  'agent.run.resumed': { from: ['waiting', 'retrying', 'unknown'], to: 'running' },
  'agent.run.outcome_unknown': { from: ['running', 'waiting', 'retrying'], to: 'unknown' },
  'agent.run.completed': { from: ['running', 'unknown'], to: 'ended' },
  'agent.run.partially_completed': { from: ALIVE, to: 'ended' },
  'agent.run.failed': { from: ['queued', 'retrying', ...ALIVE], to: 'ended' },
  'agent.run.cancelled': { from: ['queued', 'retrying', ...ALIVE], to: 'ended' },
}

/** What breaks the order, and how it is refused where the type is strict. */
interface Breach {
  message: string
  code: LifecycleRefusal
}

/**
 * What an event does to its run. A fact that breaks the order is taken and flagged, because facts are not thrown away, and
 * the state follows it; a second terminal event is refused, and where the type is strict all of it is.
 *
 * @param child what is remembered of the event's child; `null`: nothing
 */
export function followLifecycle(run: RunState, child: ChildPhase | null, fact: LifecycleFact): LifecycleStep {
  if (fact.byService) return decide(run, child, fact)
  const rule = Object.hasOwn(RUN_RULES, fact.type) ? RUN_RULES[fact.type] : undefined
  if (child === 'decided' && fact.child?.kind === 'approval' && !isOpening(fact.type)) return decidedHere(fact)
  if (run.endedBy !== null && rule?.to === 'ended') {
    return { kind: 'refused', code: 'run_already_ended', message: `the run has ended with ${run.endedBy}` }
  }
  const breaches = [...runBreaches(run, rule, fact), ...childBreaches(child, fact)]
  const [first] = breaches
  if (fact.strict && first !== undefined) return { kind: 'refused', ...first }
  return {
    kind: 'taken',
    run: next(run, rule, fact),
    child: nextChild(child, fact),
    warnings: breaches.map(({ message }) => message),
  }
}

/**
 * What the service says of an approval: the first end it gets, or nothing. Approving and denying need a run that goes on; an
 * approval that is over with its run may be closed.
 */
function decide(run: RunState, child: ChildPhase | null, fact: LifecycleFact): LifecycleStep {
  const { type } = fact
  if (child === null) {
    return { kind: 'refused', code: 'state_conflict', message: `${type} came before the approval was requested` }
  }
  if (child !== 'open') return decidedHere(fact)
  if (run.endedBy !== null && (type === 'agent.approval.approved' || type === 'agent.approval.denied')) {
    return { kind: 'refused', code: 'run_already_ended', message: `the run has ended with ${run.endedBy}` }
  }
  return { kind: 'taken', run, child: 'decided', warnings: [] }
}

function decidedHere({ type }: LifecycleFact): LifecycleStep {
  const message = `${type} came after the approval had been decided`
  return { kind: 'refused', code: 'approval_already_decided', message }
}

function runBreaches(run: RunState, rule: RunRule | undefined, { type }: LifecycleFact): Breach[] {
  if (run.endedBy !== null) {
    return [{ message: `${type} came after the run had ended with ${run.endedBy}`, code: 'run_already_ended' }]
  }
  if (rule === undefined) return []
  if (type === 'agent.run.started' && run.started) return [conflict('agent.run.started came a second time')]
  if (rule.from.includes(run.phase)) return []
  const state = run.phase === 'none' ? 'before the run was started' : `while the run was ${run.phase}`
  return [conflict(`${type} came ${state}`)]
}

function childBreaches(child: ChildPhase | null, { type, child: about }: LifecycleFact): Breach[] {
  if (about === null) return []
  const opens = isOpening(type)
  if (about.kind === 'tool_call') {
    if (child === 'ended') return [conflict(`${type} came after the tool call had ended`)]
    if (child === 'open' && opens) return [conflict(`${type} came a second time for the same tool call`)]
    const denied = child === 'open' && type === 'agent.tool_call.denied'
    return denied ? [conflict('agent.tool_call.denied came after the tool call had started')] : []
  }
  if (opens && (child === 'ended' || child === 'decided'))
    return [conflict(`${type} came after the approval had been decided`)]
  if (opens) return child === null ? [] : [conflict(`${type} came a second time for the same approval`)]
  if (child === 'ended') {
    return [{ message: `${type} came after the approval had been decided`, code: 'approval_already_decided' }]
  }
  return child === null ? [conflict(`${type} came before the approval was requested`)] : []
}

function conflict(message: string): Breach {
  return { message, code: 'state_conflict' }
}

function isOpening(type: string): boolean {
  return type === 'agent.tool_call.started' || type === 'agent.approval.requested'
}

function next(run: RunState, rule: RunRule | undefined, { type }: LifecycleFact): RunState {
  if (rule === undefined || run.endedBy !== null) return run
  const started = run.started || type === 'agent.run.started'
  return { phase: rule.to, started, endedBy: rule.to === 'ended' ? type : null }
}

function nextChild(child: ChildPhase | null, { type, child: about }: LifecycleFact): ChildPhase | null {
  if (about === null || child === 'ended' || child === 'decided') return null
  if (isOpening(type)) return child === null ? 'open' : null
  return 'ended'
}
