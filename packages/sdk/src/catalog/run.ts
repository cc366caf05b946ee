import type { EventTypeFact } from './event-type.ts'

export const RUN_TYPES: readonly EventTypeFact[] = [
  { type: 'agent.run.queued', runScoped: true, fact: 'A run was accepted and waits for a worker.' },
  { type: 'agent.run.started', runScoped: true, fact: 'A run began executing for the first time.' },
  { type: 'agent.run.waiting', runScoped: true, fact: 'A run stopped until something outside it happens.' },
  { type: 'agent.run.resumed', runScoped: true, fact: 'A waiting or retrying run is executing again.' },
  { type: 'agent.run.retrying', runScoped: true, fact: 'An attempt of the run failed and another is scheduled.' },
  { type: 'agent.run.handed_off', runScoped: true, fact: 'Control of the run moved to another agent.' },
  { type: 'agent.run.completed', runScoped: true, fact: 'A run reached its goal; nothing was left out.' },
  { type: 'agent.run.partially_completed', runScoped: true, fact: 'A run ended with a usable but partial result.' },
  { type: 'agent.run.failed', runScoped: true, fact: 'A run ended without a usable result.' },
  { type: 'agent.run.cancelled', runScoped: true, fact: 'A run was stopped on request before its end.' },
  {
    type: 'agent.run.outcome_unknown',
    runScoped: true,
    fact: 'The producer lost track of a run and cannot say how it ended.',
  },
]
