import { describe, expect, it } from 'vitest'
import { BUILT_IN_TYPES } from '@runbell/sdk/catalog'
import { accepted, errorsAt, event, read, refused } from '../../test/checked.ts'

const ok = (input: Record<string, unknown>) => read(event(input)).ok

describe('an event as a whole', () => {
  it('is an object', () => {
    for (const source of ['[]', '"x"', '1', 'null', 'true']) {
      const refusal = refused(source)
      expect(refusal).toMatchObject({ code: 'invalid_request', errors: [{ path: '' }] })
      expect(refusal.fix).not.toBe('')
    }
  })

  it('names everything that is wrong at once, each place once', () => {
    const { code, errors } = refused({ type: 5, mode: 7, data: [], run_id: '', agent: { name: '' }, typo: 1 })
    expect(code).toBe('invalid_request')
    const paths = errors.map(({ path }) => path).toSorted()
    expect(paths).toEqual(['/agent/id', '/agent/name', '/data', '/mode', '/run_id', '/type', '/typo'])
  })

  it('names what is missing', () => {
    const paths = refused('{}').errors.map(({ path }) => path)
    expect(paths.toSorted()).toEqual(['/agent', '/data', '/type'])
  })

  it('names at most 20 places, with short paths', () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`${index}${'x'.repeat(1000)}`, 1]))
    const { errors } = refused(event(many))
    expect(errors).toHaveLength(20)
    for (const { path, message } of errors) expect(path.length + message.length).toBeLessThan(400)
  })

  it('gives every message as a sentence, whatever the names are', () => {
    const names = [
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      'valueOf',
      '',
      'a/b',
      'a~b',
      '😀'.repeat(80),
    ]
    for (const name of names) {
      const source = `{"type":"acme.a","agent":{"id":"a"},"data":{},${JSON.stringify(name)}:1}`
      const { errors } = refused(source)
      expect(errors, name).toHaveLength(1)
      const [error] = errors
      expect(typeof error?.message, name).toBe('string')
      expect(error?.path, name).not.toMatch(/\p{Surrogate}/u)
      expect(error?.path, name).toMatch(/^(\/([^~/]|~[01])*)*$/)
    }
  })
})

describe('unknown fields', () => {
  it.each([
    ['runid', 'run_id'],
    ['tenantId', 'tenant_id'],
    ['Type', 'type'],
    ['meta_data', 'metadata'],
    ['expires_att', 'expires_at'],
  ])('%s: did you mean %s?', (written, meant) => {
    expect(errorsAt(event({ [written]: 'x' }), `/${written}`).join()).toContain(`"${meant}"`)
  })

  it('come without a suggestion where none is close', () => {
    expect(errorsAt(event({ webhook: 'x' }), '/webhook').join()).not.toContain('did you mean')
  })

  it('escape their path as RFC 6901 asks', () => {
    expect(errorsAt(event({ 'a/b~c': 1 }), '/a~1b~0c')).toHaveLength(1)
  })

  it('that Runbell gives itself are refused with the reason, not with a suggestion', () => {
    for (const [key, value] of [
      ['sequence', 1],
      ['recorded_at', '2026-11-23T18:02:10Z'],
      ['withheld', ['personal']],
    ] as const) {
      const [message] = errorsAt(event({ [key]: value }), `/${key}`)
      expect(message).toContain('Runbell')
      expect(message).not.toContain('did you mean')
    }
  })
})

describe('type', () => {
  it('is in the catalog: built in, or registered by a producer', () => {
    for (const { type, runScoped, samples } of BUILT_IN_TYPES.values()) {
      const { data } = samples.live
      expect(ok({ type, data, ...(runScoped ? {} : { task_id: 't', run_id: undefined }) }), type).toBe(true)
    }
    expect(ok({ type: 'acme.invoice.drafted', run_id: undefined })).toBe(true)
  })

  it('that nobody has registered is unknown, with what to do', () => {
    for (const type of ['agents.run.started', 'a.b', 'a1_.b_2.c.d.e', `a.${'b'.repeat(98)}`]) {
      const refusal = refused(event({ type }))
      expect(refusal.code, type).toBe('unknown_event_type')
      expect(refusal.fix, type).toContain('POST /v1/event-types')
    }
    expect(refused(event({ type: 'acme.invoice.draftd' })).errors).toEqual([
      { path: '/type', message: 'did you mean "acme.invoice.drafted"?' },
    ])
  })

  it('under agent., runbell. or diagnostic. that is not in the catalog is unknown, with a suggestion', () => {
    const refusal = refused(event({ type: 'agent.run.complete' }))
    expect(refusal.code).toBe('unknown_event_type')
    expect(refusal.errors).toEqual([
      { path: '/type', message: expect.stringContaining('agent.run.completed') as string },
    ])
    expect(refusal.fix).toContain('agent.run.completed')
    for (const type of ['runbell.ping', 'runbell.endpoint.failing', 'diagnostic.step', 'agent.weather.measured']) {
      expect(refused(event({ type })).code, type).toBe('unknown_event_type')
    }
  })

  it('has two to five segments and 100 characters', () => {
    const bad = [
      '',
      'agent',
      'a.b.c.d.e.f',
      'Acme.a',
      'acme.A',
      '1a.b',
      'a..b',
      'a.b.',
      '.a.b',
      'a-b.c',
      'a.b\n',
      'é.a',
    ]
    for (const type of [...bad, `a.${'b'.repeat(99)}`]) {
      expect(errorsAt(event({ type, run_id: undefined }), '/type'), type).toHaveLength(1)
    }
  })

  it('is refused once where it is no string', () => {
    for (const type of [5, null, [], {}, true]) expect(errorsAt(event({ type }), '/type')).toHaveLength(1)
  })
})

describe('run_id and task_id', () => {
  it('are required for the types that join by them', () => {
    for (const { type, runScoped } of BUILT_IN_TYPES.values()) {
      const path = runScoped ? '/run_id' : '/task_id'
      expect(errorsAt(event({ type, run_id: undefined }), path), type).toHaveLength(1)
      expect(type.startsWith('agent.task.')).toBe(!runScoped)
    }
    expect(ok({ type: 'acme.a', run_id: undefined })).toBe(true)
  })

  it('are what frameworks make: 1 to 128 characters, the first a letter or digit', () => {
    const good = ['r', '0', 'call_9f2KQ', 'toolu_01A', '018f3c5e-8b1a-7c6d-9e0f-aabbccddeeff', 'a/b:c@d=e+f.g-h_i']
    for (const id of [...good, 'x'.repeat(128)]) expect(ok({ run_id: id, task_id: id }), id).toBe(true)
    for (const id of ['', '-a', '_a', '.a', 'a b', 'a\n', 'é', 'a#b', 'x'.repeat(129), 7, null]) {
      expect(errorsAt(event({ run_id: id }), '/run_id'), String(id)).toHaveLength(1)
      expect(errorsAt(event({ task_id: id }), '/task_id'), String(id)).toHaveLength(1)
    }
  })
})

describe('event_id, causation_id, trace_id', () => {
  it('have the shape of the contract', () => {
    for (const id of ['evt_12345678', `evt_${'x'.repeat(64)}`, 'evt_a-b_C-dE']) {
      expect(ok({ event_id: id, causation_id: id }), id).toBe(true)
    }
    const bad = [
      'evt_1234567',
      `evt_${'x'.repeat(65)}`,
      'evt_1234.5678',
      'EVT_12345678',
      '12345678',
      ' evt_12345678',
      '',
      5,
    ]
    for (const id of bad) {
      expect(errorsAt(event({ event_id: id }), '/event_id'), String(id)).toHaveLength(1)
      expect(errorsAt(event({ causation_id: id }), '/causation_id'), String(id)).toHaveLength(1)
    }
    expect(ok({ trace_id: '0123456789abcdef0123456789abcdef' })).toBe(true)
    for (const id of ['0123456789ABCDEF0123456789ABCDEF', 'abc', '0'.repeat(33), 'g'.repeat(32)]) {
      expect(errorsAt(event({ trace_id: id }), '/trace_id'), id).toHaveLength(1)
    }
  })

  it('carry evt_test_ in test mode, and never in live mode', () => {
    const inTest = { mode: 'test' } as const
    expect(accepted(event({ event_id: 'evt_test_123' }), inTest).event.eventId).toBe('evt_test_123')
    expect(errorsAt(event({ event_id: 'evt_12345678' }), '/event_id', inTest)).toHaveLength(1)
    expect(errorsAt(event({ event_id: 'evt_test_12345678' }), '/event_id')).toHaveLength(1)
    expect(ok({ event_id: 'evt_testing_1' })).toBe(true)
  })
})

describe('mode', () => {
  it('is that of the API key, or left out', () => {
    expect(read(event({ mode: 'test' }), { mode: 'test' }).ok).toBe(true)
    expect(accepted(event(), { mode: 'test' }).event.mode).toBe('test')
    for (const mode of ['test', 'LIVE', '', 'prod', null, 1]) {
      expect(errorsAt(event({ mode }), '/mode'), String(mode)).toHaveLength(1)
    }
    expect(errorsAt(event({ mode: 'live' }), '/mode', { mode: 'test' })).toHaveLength(1)
  })
})

describe('schema_version', () => {
  it('is a whole number from 1, and one of the versions of the type', () => {
    expect(ok({ type: 'acme.a', schema_version: 1 })).toBe(true)
    expect(errorsAt(event({ type: 'acme.a', schema_version: 2 }), '/schema_version')).toEqual([
      'there is no version 2: acme.a has only version 1',
    ])
    for (const bad of [0, -1, 1.5, '1', null, 1_000_001, 1e300]) {
      expect(errorsAt(event({ type: 'acme.a', schema_version: bad }), '/schema_version'), String(bad)).toHaveLength(1)
    }
    expect(errorsAt(event({ schema_version: 2 }), '/schema_version')).toHaveLength(1)
  })
})

describe('times', () => {
  it('are RFC 3339', () => {
    for (const key of ['timestamp', 'expires_at']) {
      expect(ok({ [key]: '2026-11-23T18:02:10Z' })).toBe(true)
      for (const bad of ['2026-11-23', 'yesterday', '', 1_795_456_930, null, '2026-02-30T00:00:00Z']) {
        expect(errorsAt(event({ [key]: bad }), `/${key}`), String(bad)).toHaveLength(1)
      }
    }
  })
})

describe('names', () => {
  it.each([
    ['/tenant_id', 255, (value: unknown) => ({ tenant_id: value })],
    ['/conversation_id', 255, (value: unknown) => ({ conversation_id: value })],
    ['/agent/id', 255, (value: unknown) => ({ agent: { id: value } })],
    ['/agent/name', 255, (value: unknown) => ({ agent: { id: 'a', name: value } })],
    ['/agent/version', 64, (value: unknown) => ({ agent: { id: 'a', version: value } })],
  ])('%s has 1 to %i characters, none of them a control character', (path, longest, input) => {
    for (const good of ['a', ' ', 'Zoë 😀', 'x'.repeat(longest)]) expect(ok(input(good)), good).toBe(true)
    for (const bad of ['', 'x'.repeat(longest + 1), 'a\u0000', 'a\n', '\u007f', '\u0085', 5, null, [], {}, true]) {
      expect(errorsAt(event(input(bad)), path), JSON.stringify(bad)).toHaveLength(1)
    }
  })
})

describe('agent', () => {
  it('is an object with an id', () => {
    for (const agent of [undefined, null, 'a', [], 5]) expect(errorsAt(event({ agent }), '/agent')).toHaveLength(1)
    expect(errorsAt(event({ agent: {} }), '/agent/id')).toHaveLength(1)
    expect(errorsAt(event({ agent: { name: 'A' } }), '/agent/id')).toHaveLength(1)
  })

  it('does not take a prototype for an id', () => {
    expect(errorsAt('{"type":"acme.a","data":{},"agent":{"__proto__":{"id":"a"}}}', '/agent/id')).toHaveLength(1)
  })
})

describe('metadata', () => {
  const pairs = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 'v']))

  it('has at most 20 pairs of strings of at most 256 characters', () => {
    for (const metadata of [{}, pairs(20), { ['k'.repeat(256)]: 'v'.repeat(256) }, { '': '' }]) {
      expect(ok({ metadata })).toBe(true)
    }
    expect(errorsAt(event({ metadata: pairs(21) }), '/metadata')).toHaveLength(1)
    expect(errorsAt(event({ metadata: { k: 'v'.repeat(257) } }), '/metadata/k')).toHaveLength(1)
    expect(refused(event({ metadata: { ['k'.repeat(257)]: 'v' } })).errors).toHaveLength(1)
    for (const bad of [5, null, true, {}, []]) {
      expect(errorsAt(event({ metadata: { k: bad } }), '/metadata/k')).toHaveLength(1)
    }
    for (const metadata of [null, 'x', []]) expect(errorsAt(event({ metadata }), '/metadata')).toHaveLength(1)
  })

  it('keeps a pair called __proto__ as a pair', () => {
    const source = '{"type":"acme.a","agent":{"id":"a"},"data":{},"metadata":{"__proto__":"x","constructor":"y"}}'
    expect(accepted(source).event.envelope.tail).toContain('"metadata":{"__proto__":"x","constructor":"y"}')
  })
})

describe('data', () => {
  it('is an object', () => {
    expect(errorsAt(event({ data: undefined }), '/data')).toHaveLength(1)
    for (const data of [null, [], 'x', 1, false]) expect(errorsAt(event({ data }), '/data')).toHaveLength(1)
    expect(ok({ type: 'acme.a', data: { anything: [1, { deep: null }] } })).toBe(true)
  })
})
