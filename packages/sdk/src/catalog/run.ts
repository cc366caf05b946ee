import { ACTOR, AGENT, ERROR, RESOURCE, sideEffects, USAGE } from './definitions.ts'
import { runFact, type EventTypeFamily } from './event-type.ts'
import { anything, constant, integer, list, oneOf, producerId, text, time, use, type Field } from './field.ts'
import { WAIT_REASONS } from './values.ts'

const ABOUT_STATUS = 'The state of the run, from now on.'

function status<const Word extends string>(word: Word): Field<Word> {
  return constant('public', ABOUT_STATUS, word)
}

const trigger = oneOf('public', 'What set the run off.', ['user', 'schedule', 'event', 'api', 'agent'])
const duration = integer('public', 'From start to end, waiting included, in milliseconds.', { minimum: 0 })
const summary = text('summary', 'How things stand, in one safe sentence.', { maxLength: 280 })
const usage = use(USAGE, 'What the run used up.')
const output = anything('message', 'What the run answered.')
const result = use(RESOURCE, 'What the run made or changed.')

/** Every run type. `started` comes once; what ends a run is one of completed, partially_completed, failed, cancelled. */
export const RUN_TYPES = {
  'agent.run.queued': runFact('A run was accepted and waits for a worker.', {
    required: { status: status('queued') },
    optional: { trigger },
  }),
  'agent.run.started': runFact('A run began executing for the first time.', {
    required: { status: status('running') },
    optional: {
      trigger,
      parent_run_id: producerId('public', 'The run that started this one.'),
      input: anything('prompt', 'What the run was asked to do.'),
      initiated_by: use(ACTOR, 'Who asked for it.'),
    },
  }),
  'agent.run.waiting': runFact('A run stopped until something outside it happens.', {
    required: {
      status: status('waiting'),
      waiting_for: oneOf('public', 'What it waits for.', WAIT_REASONS),
    },
    optional: {
      approval_ids: list('public', 'The approvals it waits for.', producerId('elsewhere', 'An approval.'), {
        maxItems: 50,
      }),
      resume_by: time('public', 'After this the producer no longer waits.'),
      summary,
    },
  }),
  'agent.run.resumed': runFact('A waiting or retrying run is executing again.', {
    required: {
      status: status('running'),
      resumed_after: oneOf('public', 'What made it go on.', [...WAIT_REASONS, 'retry', 'operator']),
    },
  }),
  'agent.run.retrying': runFact('An attempt of the run failed and another is scheduled.', {
    required: {
      status: status('retrying'),
      attempt: integer('public', 'Which attempt failed, from 1.', { minimum: 1 }),
      error: use(ERROR, 'Why it failed.'),
    },
    optional: { next_attempt_at: time('public', 'When the next attempt starts.') },
  }),
  'agent.run.handed_off': runFact('Control of the run moved to another agent.', {
    required: {
      status: status('running'),
      from_agent: use(AGENT, 'Who had it.'),
      to_agent: use(AGENT, 'Who has it now.'),
    },
  }),
  'agent.run.completed': runFact('A run reached its goal; nothing was left out.', {
    required: { status: status('completed') },
    optional: {
      started_at: time('public', 'When the run began executing.'),
      duration_ms: duration,
      usage,
      output,
      result,
    },
  }),
  'agent.run.partially_completed': runFact('A run ended with a usable but partial result.', {
    required: {
      status: status('partially_completed'),
      reason: oneOf('public', 'Why it is not complete.', [
        'max_turns',
        'budget',
        'output_limit',
        'context_limit',
        'content_filter',
        'tool_failures',
        'interrupted_by_user',
        'other',
      ]),
    },
    optional: {
      completed_steps: integer('public', 'How many steps are done.', { minimum: 0 }),
      remaining_steps: integer('public', 'How many steps are not.', { minimum: 0 }),
      summary,
      duration_ms: duration,
      usage,
      error: use(ERROR, 'What got in the way.'),
      output,
      result,
    },
  }),
  'agent.run.failed': runFact('A run ended without a usable result.', {
    required: {
      status: oneOf('public', ABOUT_STATUS, ['failed', 'timed_out', 'rejected']),
      error: use(ERROR, 'Why it failed.'),
    },
    optional: { duration_ms: duration, usage },
  }),
  'agent.run.cancelled': runFact('A run was stopped on request before its end.', {
    required: { status: status('cancelled') },
    optional: {
      cancelled_by: use(ACTOR, 'Who stopped it.'),
      reason: text('message', 'Why, in the words of whoever stopped it.', { maxLength: 500 }),
      side_effects: sideEffects,
    },
  }),
  'agent.run.outcome_unknown': runFact('The producer lost track of a run and cannot say how it ended.', {
    required: { status: status('unknown') },
    optional: {
      last_seen_at: time('public', 'When the run last showed that it is alive.'),
      error: use(ERROR, 'What is known of the reason.'),
    },
  }),
} as const satisfies EventTypeFamily
