/** Stands before the number of an event in its text, so that the receiver finds it without parsing. */
export const EVENT_NUMBER = '"text":"#'
export const NUMBER_DIGITS = 9

/** What is published. */
export interface EventPlan {
  /** Types in turn. Empty: runs of ten built-in events, which nobody has subscribed to. */
  types: readonly string[]
  /** Bytes of an event, roughly. @default 1024 */
  bytes?: number
}

/** Events a run has: its start, and messages. */
const RUN_LENGTH = 10
/** What an event takes besides its text. */
const FRAME_BYTES = 120

/** Makes the JSON text of events by their number. */
export function eventWriter({ types, bytes = 1024 }: EventPlan, source: string): (number: number) => string {
  const text = 'x'.repeat(Math.max(1, bytes - FRAME_BYTES))
  if (types.length === 0) return (number) => runEvent(number, text, source)
  const heads = types.map((type) => `{"type":"${type}","agent":{"id":"bench"},"data":{${EVENT_NUMBER}`)
  const tail = `#${text}"}}`
  return (number) => (heads[number % heads.length] as string) + String(number).padStart(NUMBER_DIGITS, '0') + tail
}

function runEvent(number: number, text: string, source: string): string {
  const run_id = `run_${source}_${Math.floor(number / RUN_LENGTH)}`
  const head = { run_id, agent: { id: 'bench' } }
  const started = { type: 'agent.run.started', ...head, data: { status: 'running', input: text } }
  if (number % RUN_LENGTH === 0) return JSON.stringify(started)
  const data = { status: 'sent', message_id: `m_${number}`, channel: 'chat', content: text }
  return JSON.stringify({ type: 'agent.message.sent', ...head, data })
}

/** Makes the JSON text of diagnostics: calls of a model in runs of ten. */
export function diagnosticWriter(): (number: number) => string {
  const note = 'y'.repeat(200)
  return (number) =>
    JSON.stringify({
      name: 'model.call',
      run_id: `run_${Math.floor(number / RUN_LENGTH)}`,
      duration_ms: 812.5,
      message: 'answered at the second try',
      attributes: { 'gen_ai.request.model': 'a-model', 'gen_ai.usage.input_tokens': 1200, attempt: 2, note },
    })
}
