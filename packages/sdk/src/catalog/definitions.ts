import { define, flag, integer, oneOf, record, text, url, type Field, type ValueOf } from './field.ts'
import { ERROR_CODES, SIDE_EFFECTS, type SideEffects } from './values.ts'

/** What several types share, each under its name in `$defs`. */

const NAME = { minLength: 1, maxLength: 255 }

/** Whether trying again may do it twice. */
export const sideEffects: Field<SideEffects> = oneOf(
  'public',
  'What it changed outside the run: whether trying again may do it twice.',
  SIDE_EFFECTS,
)

export const ERROR = define(
  'error',
  record('elsewhere', 'Why something did not work.', {
    required: {
      code: oneOf('public', 'What kind of failure it is.', ERROR_CODES),
      message: text('summary', 'The failure in words, from a template; never the text of an exception.', {
        maxLength: 300,
      }),
      retryable: flag('public', 'Whether the same thing can work later.'),
    },
    optional: {
      retry_after_seconds: integer('public', 'How long to wait before trying again.', { minimum: 0 }),
      origin: oneOf('public', 'Where it failed.', ['agent', 'model', 'tool', 'user', 'platform']),
      side_effects: sideEffects,
      reference: text('public', 'What to look for in the producer’s own logs.', { minLength: 1, maxLength: 128 }),
    },
  }),
)
export type EventError = ValueOf<typeof ERROR.field>

export const AGENT = define(
  'agent',
  record('elsewhere', 'An agent.', {
    required: { id: text('public', 'The agent’s id, the same over all its runs.', NAME) },
    optional: {
      name: text('operational', 'The agent’s name, for people.', NAME),
      version: text('operational', 'Which version of the agent it is.', { minLength: 1, maxLength: 64 }),
    },
  }),
)

export const ACTOR = define(
  'actor',
  record('elsewhere', 'A person, a group, or something that acts like one.', {
    required: {
      type: oneOf('public', 'What kind of actor it is.', ['user', 'group', 'role', 'agent', 'policy', 'system']),
    },
    optional: {
      id: text('personal', 'The producer’s id of the actor.', NAME),
      display: text('personal', 'The actor’s name, for people.', NAME),
    },
  }),
)
export type Actor = ValueOf<typeof ACTOR.field>

export const TOOL = define(
  'tool',
  record('elsewhere', 'A tool that agents call.', {
    required: { name: text('public', 'The tool’s name, as the model knows it.', NAME) },
    optional: {
      type: oneOf('public', 'What kind of tool it is.', ['function', 'extension', 'datastore', 'mcp', 'builtin']),
      server: text('operational', 'The server that offers the tool, such as an MCP server.', NAME),
      annotations: record('public', 'What the tool says of itself. Hints, not guarantees.', {
        optional: {
          read_only_hint: flag('elsewhere', 'It changes nothing.'),
          destructive_hint: flag('elsewhere', 'What it changes may not be undone.'),
          idempotent_hint: flag('elsewhere', 'Calling it twice is the same as calling it once.'),
          open_world_hint: flag('elsewhere', 'It reaches systems outside the producer’s.'),
        },
      }),
    },
  }),
)
export type Tool = ValueOf<typeof TOOL.field>

const tokens = (about: string): Field<number> => integer('elsewhere', about, { minimum: 0 })

export const USAGE = define(
  'usage',
  record('operational', 'What it used up.', {
    optional: {
      input_tokens: tokens('Tokens the models read.'),
      output_tokens: tokens('Tokens the models wrote.'),
      cache_read_input_tokens: tokens('Those of the tokens read that came from a cache.'),
      model_calls: tokens('How many times a model was called.'),
      tool_calls: tokens('How many times a tool was called.'),
      cost: record('elsewhere', 'What it cost the producer.', {
        required: {
          amount: text('elsewhere', 'A decimal number as text, such as 0.0412.', { pattern: '^\\d+(\\.\\d+)?$' }),
          currency: text('elsewhere', 'ISO 4217, such as EUR.', { pattern: '^[A-Z]{3}$' }),
        },
      }),
    },
  }),
)
export type Usage = ValueOf<typeof USAGE.field>

export const RESOURCE = define(
  'resource',
  record('elsewhere', 'Something in the producer’s systems that can be fetched.', {
    required: {
      type: text('public', 'What it is, such as order or refund.', NAME),
      id: text('public', 'The producer’s id of it.', NAME),
    },
    optional: { url: url('public', 'Where to fetch it, with the consumer’s own credentials; carries no token.') },
  }),
)
export type Resource = ValueOf<typeof RESOURCE.field>
