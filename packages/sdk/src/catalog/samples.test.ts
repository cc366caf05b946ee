import { describe, expect, it } from 'vitest'
import { checkSchema, isObject } from '../../test/check-schema.ts'
import { cutData } from '../../test/cut-data.ts'
import {
  DATA_CLASSES,
  ENVELOPE_KEYS,
  EVENT_ID_PATTERN,
  eventIdFitsMode,
  MODES,
  type Envelope,
} from '../contract/index.ts'
import { BUILT_IN_TYPES, SERVICE_TYPES, TERMINAL_RUN_STATUSES, type EventTypeName, type JsonSchema } from './index.ts'

const ALL = [...BUILT_IN_TYPES.values(), ...SERVICE_TYPES.values()]
const GRANTABLE = DATA_CLASSES.filter((name) => !['public', 'summary', 'credential'].includes(name))
const GRANT_SETS = Array.from(
  { length: 2 ** GRANTABLE.length },
  (_, bits) => new Set(['public', 'summary', ...GRANTABLE.filter((_name, index) => (bits >> index) & 1)]),
)

describe.each(ALL.map((entry) => [entry.type, entry] as const))(
  'the sample of %s',
  (type, { runScoped, samples, versions }) => {
    const schema = versions[0]?.schema as JsonSchema

    it.each(MODES)('is a valid event of its mode (%s)', (mode) => {
      const event = samples[mode]
      expect(event).toMatchObject({ type, mode, schema_version: 1, tenant_id: 'acme' })
      expect(Object.keys(event)).toEqual(ENVELOPE_KEYS.filter((key) => key in event))
      expect(event.event_id).toMatch(EVENT_ID_PATTERN)
      expect(eventIdFitsMode(event.event_id, mode)).toBe(true)
      expect(event.recorded_at > event.timestamp).toBe(true)
      expect(event.agent.id === 'runbell').toBe(type.startsWith('runbell.'))
      expect(['run_id', 'sequence', 'task_id'].filter((key) => key in event)).toEqual(joinsOf(type, runScoped))
      expect(checkSchema(schema, event.data)).toEqual([])
    })

    it('shows only fields that the schema knows', () => {
      const everything = new Set<string>(DATA_CLASSES)
      expect(cutData(schema, samples.live.data, everything)).toEqual(samples.live.data)
    })

    it('still validates, cut to any of the 256 sets of grants', () => {
      expect(GRANT_SETS).toHaveLength(256)
      for (const granted of GRANT_SETS) {
        expect(checkSchema(schema, cutData(schema, samples.live.data, granted)), [...granted].join(' ')).toEqual([])
      }
    })

    it('in test mode has ids of test mode, and else is the same', () => {
      expect(JSON.stringify(samples.test).replaceAll('_test_', '_').replace('"mode":"test"', '"mode":"live"')).toBe(
        JSON.stringify(samples.live),
      )
      expect(JSON.stringify(samples.live)).not.toContain('_test_')
      for (const [path, id] of idsOf(samples.test)) expect(id, path).toMatch(/^[a-z]+_test_/)
    })
  },
)

describe.each(MODES)('the story of the samples (%s)', (mode) => {
  const events = ALL.map(({ samples }) => samples[mode]).sort(byTime)

  it('has one event id for each event', () => {
    expect(new Set(events.map(({ event_id: id }) => id)).size).toBe(35)
  })

  it('names causes that came before', () => {
    const caused = events.filter((event) => event.causation_id !== undefined)
    expect(caused.length).toBeGreaterThan(10)
    for (const event of caused) {
      const cause = events.find(({ event_id: id }) => id === event.causation_id)
      expect(events.indexOf(cause as Envelope), event.type).toBeLessThan(events.indexOf(event))
      expect(cause, event.type).toBeDefined()
    }
  })

  it('lets the sequence of each run rise with time, and nothing follow its end', () => {
    const runs = new Set(events.flatMap(({ run_id: run }) => run ?? []))
    expect(runs.size).toBe(6)
    for (const run of runs) {
      const ofRun = events.filter((event) => event.run_id === run)
      const sequences = ofRun.map(({ sequence = 0 }) => sequence)
      expect(sequences, run).toEqual([...new Set(sequences)].sort((a, b) => a - b))
      const ended = ofRun.findIndex((event) => event.type.startsWith('agent.run.') && hasEnded(event))
      expect(ended === -1 || ended === ofRun.length - 1, run).toBe(true)
    }
  })

  it('tells the whole life of one approval with the same ids', () => {
    const request = dataOf('agent.approval.requested')
    const { approval_id: approval, tool_call_id: call, input_binding: binding } = request
    expect(dataOf('agent.run.waiting')['approval_ids']).toEqual([approval])
    expect(dataOf('agent.approval.approved')).toMatchObject({
      approval_id: approval,
      tool_call_id: call,
      input_binding: binding,
    })
    expect(dataOf('agent.tool_call.started')).toMatchObject({
      tool_call_id: call,
      input_binding: binding,
      input: request['input'],
    })
    expect(dataOf('agent.tool_call.completed')).toMatchObject({ tool_call_id: call, input: request['input'] })
    expect(dataOf('agent.run.completed')['result']).toEqual(dataOf('agent.tool_call.completed')['result'])
    expect(dataOf('agent.task.completed')['result']).toEqual(dataOf('agent.run.completed')['result'])
  })

  function dataOf(type: EventTypeName): Record<string, unknown> {
    return BUILT_IN_TYPES.get(type)?.samples[mode].data as Record<string, unknown>
  }
})

function joinsOf(type: string, runScoped: boolean): string[] {
  if (runScoped) return ['run_id', 'sequence']
  return type.startsWith('agent.task.') ? ['task_id'] : []
}

function byTime(one: Envelope, other: Envelope): number {
  return one.timestamp < other.timestamp ? -1 : 1
}

function hasEnded({ data }: Envelope): boolean {
  return (TERMINAL_RUN_STATUSES as readonly string[]).includes(String((data as Record<string, unknown>)['status']))
}

/** What is an id of something in the story: not of agents, tenants, policies and groups, which both modes share. */
function idsOf(value: unknown, path = ''): [path: string, id: string][] {
  if (Array.isArray(value)) return value.flatMap((item, index) => idsOf(item, `${path}/${index}`))
  if (isObject(value)) return Object.entries(value).flatMap(([key, inner]) => idsOf(inner, `${path}/${key}`))
  const isId = /(?:^|[/_])ids?(?:\/\d+)?$/.test(path) && !/\/(?:tenant_id|trace_id|order_id)$|agent\/id$/.test(path)
  return isId && typeof value === 'string' && /^[a-z]+_/.test(value) ? [[path, value]] : []
}
