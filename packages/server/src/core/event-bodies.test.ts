import type { DataClass } from '@runbell/sdk/contract'
import { CloudEvent, HTTP } from 'cloudevents'
import { describe, expect, it } from 'vitest'
import { ownType, testCatalog } from '../../test/catalog.ts'
import { accepted, event, text } from '../../test/checked.ts'
import type { BodyFormat } from './event-bodies.ts'
import { maskOf } from './data-classes.ts'
import { completePrefix } from './render.ts'

const RECORDED_AT = Date.UTC(2026, 10, 23, 18, 2, 11)

const TOOL_CALL = event({
  event_id: 'evt_01KAXW2QF3',
  type: 'agent.tool_call.completed',
  tenant_id: 'acme',
  run_id: 'run-1',
  agent: { id: 'refund agent', name: 'Refund agent', version: '2' },
  metadata: { region: 'eu' },
  expires_at: '2026-11-24T00:00:00Z',
  data: {
    status: 'completed',
    tool_call_id: 'call_9',
    tool: { name: 'lookup_order', server: 'orders' },
    input: { order: '7781' },
    output: { email: 'dana@example.com' },
  },
})

type Accepted = ReturnType<typeof accepted>

function render({ event: checked, bodies }: Accepted, format: BodyFormat, grants: DataClass[], pin = 1) {
  const body = bodies.bodyFor({ format, grants: maskOf(grants), pin })
  const envelope = body?.envelope ?? checked.envelope
  const rest = body?.rest ?? Buffer.from(`${text(checked.source.subarray(checked.dataStart, checked.dataEnd))}}`)
  const json = completePrefix(envelope, RECORDED_AT, checked.runId === null ? null : 7) + text(rest)
  return { body, json, parsed: JSON.parse(json) as Record<string, unknown> }
}

describe('format runbell', () => {
  it('has withheld between the ids and the metadata, and only the id of the agent', () => {
    const { json, parsed } = render(accepted(TOOL_CALL), 'runbell', ['tool_input'])
    expect(Object.keys(parsed)).toEqual([
      ...['event_id', 'type', 'schema_version', 'timestamp', 'recorded_at', 'expires_at', 'mode', 'tenant_id'],
      ...['run_id', 'sequence', 'agent', 'withheld', 'metadata', 'data'],
    ])
    expect(parsed).toMatchObject({ agent: { id: 'refund agent' }, withheld: ['operational', 'tool_output'] })
    expect(parsed['agent']).not.toHaveProperty('name')
    expect(json).not.toContain('orders')
  })

  it('is one body for all who want the same of it, whatever else they may see', () => {
    const checked = accepted(TOOL_CALL)
    const one = render(checked, 'runbell', ['tool_input']).body
    expect(render(checked, 'runbell', ['tool_input', 'memory', 'prompt']).body).toBe(one)
    expect(render(checked, 'runbell', ['tool_output']).body).not.toBe(one)
    expect(render(checked, 'runbell', ['tool_input', 'tool_output', 'operational']).body).toBeNull()
  })

  it('is rendered the same after a pause', () => {
    const checked = accepted(TOOL_CALL)
    const before = render(checked, 'runbell', ['tool_input']).json
    const again = accepted(TOOL_CALL)
    again.bodies.release()
    expect(render(again, 'runbell', ['tool_input']).json).toBe(before)
    expect(render(again, 'thin', []).parsed).toEqual(render(checked, 'thin', []).parsed)
  })

  it('says which classes its values have', () => {
    const classes = (grants: DataClass[]) => render(accepted(TOOL_CALL), 'runbell', grants).body?.classes
    expect(classes([])).toBe(maskOf(['public']))
    expect(classes(['operational'])).toBe(maskOf(['public', 'operational']))
    expect(accepted(TOOL_CALL).event.classes).toBe(maskOf(['public', 'operational', 'tool_input', 'tool_output']))
  })

  it('leaves out what the schema does not know for everybody, and tells the producer', () => {
    const data = { ...(TOOL_CALL['data'] as object), secret_note: 'x', tool: { name: 'a', extra: { deep: 1 } } }
    const checked = accepted({ ...TOOL_CALL, data })
    const all: DataClass[] = ['operational', 'tool_input', 'tool_output']
    const { json, parsed } = render(checked, 'runbell', all)
    expect(json).not.toMatch(/secret_note|deep/)
    expect(parsed).not.toHaveProperty('withheld')
    expect(checked.warnings.map(({ code, path }) => [code, path])).toEqual([
      ['field_dropped', '/data/tool/extra'],
      ['field_dropped', '/data/secret_note'],
    ])
  })

  it('masks what is not granted inside details, and keeps its label', () => {
    const details = [
      { label: 'Amount', value: '84.00 EUR', value_class: 'public' },
      { label: 'Customer', value: 'Dana Rivers', value_class: 'personal' },
      { masked: false, value: 'I want my money back', value_class: 'message', label: 'Words' },
    ]
    const data = {
      ...{ approval_id: 'apr_1', status: 'pending', kind: 'tool_call', summary: 'Refund 84.00 EUR.' },
      ...{ summary_source: 'template', options: ['approve', 'deny'], details },
    }
    const checked = accepted(event({ type: 'agent.approval.requested', data }))
    expect(render(checked, 'runbell', []).parsed).toMatchObject({
      withheld: ['message', 'personal'],
      data: {
        details: [
          details[0],
          { label: 'Customer', value: '•••', value_class: 'personal', masked: true },
          { label: 'Words', value: '•••', value_class: 'message', masked: true },
        ],
      },
    })
    expect(render(checked, 'runbell', ['personal']).parsed).toMatchObject({ withheld: ['message'] })
    expect(render(checked, 'runbell', ['personal', 'message']).body).toBeNull()
  })
})

describe('format thin', () => {
  it('has ids, type, status and where to fetch the rest, and nothing else of the data', () => {
    expect(render(accepted(TOOL_CALL), 'thin', ['operational', 'tool_input', 'tool_output']).parsed).toEqual({
      event_id: 'evt_01KAXW2QF3',
      type: 'agent.tool_call.completed',
      schema_version: 1,
      timestamp: expect.any(String) as string,
      recorded_at: new Date(RECORDED_AT).toISOString(),
      expires_at: '2026-11-24T00:00:00.000Z',
      mode: 'live',
      tenant_id: 'acme',
      run_id: 'run-1',
      sequence: 7,
      agent: { id: 'refund agent' },
      status: 'completed',
      ids: { tool_call_id: 'call_9' },
      resource: 'https://runbell.test/v1/events/evt_01KAXW2QF3',
    })
  })

  it('is one body whatever is granted', () => {
    const checked = accepted(TOOL_CALL)
    expect(render(checked, 'thin', []).body).toBe(render(checked, 'thin', ['tool_output']).body)
  })
})

describe('format cloudevents', () => {
  it.each([[[] as DataClass[]], [['operational', 'tool_input', 'tool_output'] as DataClass[]]])(
    'is a CloudEvent to the cloudevents package, with grants %j',
    (grants) => {
      const { json, parsed } = render(accepted(TOOL_CALL), 'cloudevents', grants)
      expect(() => new CloudEvent(parsed as ConstructorParameters<typeof CloudEvent>[0])).not.toThrow()
      const received = HTTP.toEvent({ headers: { 'content-type': 'application/cloudevents+json' }, body: json })
      expect(received).toMatchObject({
        specversion: '1.0',
        id: 'evt_01KAXW2QF3',
        type: 'agent.tool_call.completed',
        source: 'https://runbell.test/tenants/acme/agents/refund%20agent',
        subject: 'run-1',
        datacontenttype: 'application/json',
        dataschema: 'https://runbell.test/schemas/agent.tool_call.completed/1.json',
        runid: 'run-1',
        sequence: '7',
        tenantid: 'acme',
        metadata: '{"region":"eu"}',
        data: parsed['data'],
      })
    },
  )

  it('has only attribute names and kinds of values that CloudEvents has', () => {
    const { parsed } = render(accepted(TOOL_CALL), 'cloudevents', ['operational'])
    for (const [name, value] of Object.entries(parsed)) {
      if (name === 'data') continue
      expect(name).toMatch(/^[a-z0-9]{1,20}$/)
      expect(typeof value, name).toBe('string')
    }
    expect(parsed).toMatchObject({ agentname: 'Refund agent', agentversion: '2', withheld: 'tool_input,tool_output' })
  })

  it('tells nothing of the agent but its id without the grant', () => {
    const { parsed } = render(accepted(TOOL_CALL), 'cloudevents', [])
    expect(parsed).not.toHaveProperty('agentname')
    expect(parsed).toMatchObject({ agentid: 'refund agent', withheld: 'operational,tool_input,tool_output' })
  })

  it('is one without run, metadata and end as well', () => {
    const { parsed } = render(accepted(event({ type: 'acme.invoice.drafted', run_id: undefined })), 'cloudevents', [])
    expect(() => new CloudEvent(parsed as ConstructorParameters<typeof CloudEvent>[0])).not.toThrow()
    expect(parsed).not.toHaveProperty('sequence')
  })
})

describe('an endpoint pinned to an older version', () => {
  const publicText = { type: 'string', 'x-data-class': 'public' }
  const STATUS = ['open', 'paid']
  const catalog = testCatalog({
    'acme.invoice.drafted': ownType([
      {
        schema: {
          type: 'object',
          properties: {
            total: { type: 'number', 'x-data-class': 'public' },
            customer: { type: 'string', 'x-data-class': 'public' },
            status: { enum: STATUS, 'x-data-class': 'public' },
          },
          required: ['status'],
        },
      },
      {
        schema: {
          type: 'object',
          properties: {
            amount: { type: 'number', 'x-data-class': 'public' },
            // Stricter than it was: whoever may not see it now does not get it in the old form either.
            customer: { type: 'string', 'x-data-class': 'personal' },
            status: { enum: [...STATUS, 'disputed'], 'x-data-class': 'public' },
          },
          required: ['status'],
        },
        down: [
          { op: 'rename', path: '/amount', to: 'total' },
          { op: 'map', path: '/status', values: { disputed: 'open' } },
        ],
      },
      {
        schema: {
          type: 'object',
          properties: {
            amount: { type: 'number', 'x-data-class': 'public' },
            customer: { type: 'string', 'x-data-class': 'personal' },
            status: { enum: [...STATUS, 'disputed'], 'x-data-class': 'public' },
            note: publicText,
          },
          required: ['status', 'note'],
        },
        down: [{ op: 'drop', path: '/note' }],
      },
    ]),
  })
  const publish = (schema_version: number, data: string) =>
    accepted(`{"type":"acme.invoice.drafted","agent":{"id":"a"},"schema_version":${schema_version},"data":${data}}`, {
      catalog,
    })
  const V3 = '{ "amount" : 1.0,"customer":"Dana", "status":"disputed" ,"note":"x"}'

  it.each([
    [3, '{ "amount" : 1.0, "status":"disputed" ,"note":"x"}'],
    [2, '{ "amount" : 1.0, "status":"disputed" }'],
    [1, '{ "total" : 1.0, "status":"open" }'],
  ])('gets version %i, spliced from the bytes of version 3', (pin, data) => {
    const { json, parsed } = render(publish(3, V3), 'runbell', [], pin)
    expect(json).toContain(`"data":${data}}`)
    expect(parsed).toMatchObject({ schema_version: pin, withheld: ['personal'] })
  })

  it('gets a value only where the class of every version on the way is granted', () => {
    expect(render(publish(3, V3), 'runbell', ['personal'], 1).parsed).toMatchObject({
      schema_version: 1,
      data: { total: 1, customer: 'Dana', status: 'open' },
    })
    expect(render(publish(3, V3), 'runbell', [], 1).json).not.toContain('Dana')
  })

  it('is told the class a value had before, whatever the older version calls it', () => {
    // `customer` is public in version 1: a body that holds it is still one with personal data in it.
    const { body } = render(publish(3, V3), 'runbell', ['personal'], 1)
    expect((body?.classes ?? 0) & maskOf(['personal'])).not.toBe(0)
    expect((render(publish(3, V3), 'runbell', [], 1).body?.classes ?? 0) & maskOf(['personal'])).toBe(0)
  })

  it('gets a value whose class only the older version has, where it is granted', () => {
    const stricter = testCatalog({
      'acme.note.taken': ownType([
        { schema: { type: 'object', properties: { text: { type: 'string', 'x-data-class': 'prompt' } } } },
        { schema: { type: 'object', properties: { text: publicText } }, down: [] },
      ]),
    })
    const note = '{"type":"acme.note.taken","agent":{"id":"a"},"schema_version":2,"data":{"text":"x"}}'
    const taken = accepted(note, { catalog: stricter })
    expect(render(taken, 'runbell', ['prompt'], 1).parsed).toMatchObject({ data: { text: 'x' } })
    expect(render(taken, 'runbell', ['prompt'], 1).parsed).not.toHaveProperty('withheld')
    expect(render(taken, 'runbell', ['prompt'], 1).body?.classes).toBe(maskOf(['public', 'prompt']))
    expect(render(taken, 'runbell', [], 1).parsed).toMatchObject({ data: {}, withheld: ['prompt'] })
    // Grants that make no difference make no body of their own.
    expect(render(taken, 'runbell', ['memory'], 1).body).toBe(render(taken, 'runbell', [], 1).body)
  })

  it('gets what a conversion moved deeper than data may be when it is published', () => {
    const any = { type: 'object', 'x-data-class': 'public' }
    const path = `/a${'/b'.repeat(15)}`
    const moving = testCatalog({
      'acme.tree.grown': ownType([
        { schema: { type: 'object', properties: { a: any } } },
        { schema: { type: 'object', properties: { t: any } }, down: [{ op: 'move', from: '/t', to: path }] },
      ]),
    })
    let tree = '1'
    for (let depth = 0; depth < 28; depth++) tree = `{"x":${tree}}`
    const grown = `{"type":"acme.tree.grown","agent":{"id":"a"},"schema_version":2,"data":{"t":{"d":${tree}}}}`
    const { json } = render(accepted(grown, { catalog: moving }), 'runbell', [], 1)
    expect(json).toContain(`{"d":${tree}}`)
  })

  it('says once that something is masked, where two values beside each other are', () => {
    const item = {
      type: 'object',
      'x-data-class-from': 'kind',
      required: ['kind'],
      properties: {
        kind: { enum: ['prompt'], 'x-data-class': 'public' },
        one: { type: 'string' },
        two: { type: 'string' },
        masked: { type: 'boolean', 'x-data-class': 'public' },
      },
    }
    const masking = testCatalog({
      'acme.detail.shown': ownType([{ schema: { type: 'object', properties: { item } } }]),
    })
    const shown =
      '{"type":"acme.detail.shown","agent":{"id":"a"},"data":{"item":{"kind":"prompt","one":"p1","two":"p2"}}}'
    const { json } = render(accepted(shown, { catalog: masking }), 'runbell', [])
    expect(json).toContain('"data":{"item":{"kind":"prompt","one":"•••","masked":true,"two":"•••"}}}')
  })

  it('gets an event older than its pin as it was published', () => {
    const { body, parsed } = render(publish(1, '{"total":2,"status":"paid"}'), 'runbell', [], 3)
    expect(body).toBeNull()
    expect(parsed).toMatchObject({ schema_version: 1, data: { total: 2 } })
  })

  it('has the version it gets in its CloudEvent', () => {
    const { parsed } = render(publish(3, V3), 'cloudevents', [], 1)
    expect(parsed).toMatchObject({
      schemaversion: '1',
      dataschema: 'https://runbell.test/schemas/acme.invoice.drafted/1.json',
      data: { total: 1, status: 'open' },
    })
  })
})
