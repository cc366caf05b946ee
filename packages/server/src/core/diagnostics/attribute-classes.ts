import type { DataClass } from '@runbell/sdk/contract'
import { classBit, DELIVERABLE, type ClassMask } from '../data-classes.ts'
import type { JsonValue } from './diagnostic.ts'

/**
 * Attributes whose meaning is known, by the beginnings of their names: those of the OpenTelemetry semantic conventions for GenAI, and
 * what instrumentations in use (OpenInference, OpenLLMetry, the AI SDK) call the same. The longest beginning decides. A name that
 * ends with a dot stands for everything below it, any other for itself and everything below it.
 */
const KNOWN: readonly (readonly [DataClass, readonly string[]])[] = [
  [
    'public',
    [
      ...['gen_ai.operation.name', 'gen_ai.provider.name', 'gen_ai.system', 'gen_ai.request', 'gen_ai.response'],
      ...['gen_ai.usage', 'gen_ai.agent.id', 'gen_ai.agent.name', 'gen_ai.agent.version', 'gen_ai.tool.name'],
      ...[
        'gen_ai.tool.type',
        'gen_ai.tool.call.id',
        'gen_ai.conversation.id',
        'gen_ai.output.type',
        'gen_ai.token.type',
      ],
      ...['error.type', 'service.name', 'service.version', 'span.kind', 'span.events', 'otel.status_code'],
      ...['http.request.method', 'http.response.status_code', 'server.port', 'retry', 'ai.usage', 'llm.token_count'],
    ],
  ],
  [
    'prompt',
    [
      ...[
        'gen_ai.prompt',
        'gen_ai.input',
        'gen_ai.system_instructions',
        'gen_ai.request.messages',
        'gen_ai.tool.definitions',
      ],
      ...['llm.prompts', 'llm.input_messages', 'input', 'ai.prompt', 'traceloop.entity.input'],
    ],
  ],
  [
    'message',
    [
      ...[
        'gen_ai.completion',
        'gen_ai.output',
        'gen_ai.response.text',
        'gen_ai.response.content',
        'llm.output_messages',
      ],
      ...['output', 'ai.response.text', 'ai.response.object', 'traceloop.entity.output'],
    ],
  ],
  [
    'tool_input',
    [
      ...['gen_ai.tool.call.arguments', 'tool.parameters', 'tool_call.function.arguments', 'ai.toolCall.args'],
      ...['ai.response.toolCalls', 'mcp.request.argument'],
    ],
  ],
  ['tool_output', ['gen_ai.tool.call.result', 'gen_ai.tool.message', 'ai.toolCall.result']],
  ['document', ['retrieval.documents', 'gen_ai.retrieval', 'reranker', 'embedding', 'document', 'db.query']],
  ['memory', ['gen_ai.memory', 'memory']],
  [
    'personal',
    [
      'user',
      'enduser',
      'client',
      'source',
      'network.peer',
      'http.client_ip',
      'url',
      'http.url',
      'http.target',
      'session',
    ],
  ],
]

const BY_PREFIX: ReadonlyMap<string, DataClass> = new Map(
  KNOWN.flatMap(([name, prefixes]) => prefixes.map((prefix) => [prefix, name] as const)),
)

/** A text of more characters is taken for content, and nobody has said of what class. */
const SHORT_TEXT = 256

/**
 * The classes that somebody must hold all of to see an attribute: the one that its producer has declared, or that its name is known
 * for. Of others a short value is `operational`, and a long text is shown to those alone who may see everything.
 */
export function classesOf(name: string, value: JsonValue, declared: DataClass | undefined): ClassMask {
  if (declared !== undefined) return classBit(declared)
  const known = knownClass(name)
  if (known === undefined) return isShort(value) ? classBit('operational') : DELIVERABLE
  return known === 'public' && !isShort(value) ? DELIVERABLE : classBit(known)
}

function knownClass(name: string): DataClass | undefined {
  for (let prefix = name; ;) {
    const known = BY_PREFIX.get(prefix)
    if (known !== undefined) return known
    const dot = prefix.lastIndexOf('.')
    if (dot === -1) return undefined
    prefix = prefix.slice(0, dot)
  }
}

/** Whether no text in it, names included, is long. */
function isShort(value: JsonValue): boolean {
  if (typeof value === 'string') return value.length <= SHORT_TEXT
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every(isShort)
  return Object.entries(value).every(([name, inner]) => name.length <= SHORT_TEXT && isShort(inner))
}
