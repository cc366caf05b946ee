import { beforeEach, describe, expect, it } from 'vitest'
import { createTestApi, type TestApi } from '../testing/test-api.ts'

let test: TestApi
let id: string
beforeEach(async () => {
  test = await createTestApi()
  id = await test.addEndpoint()
})

const step = (name: string) => test.post(`/v1/endpoints/${id}/${name}`)

describe('the status of an endpoint', () => {
  it.each([
    ['enabled', [], { pause: 'paused', resume: 'enabled', enable: 'enabled', disable: 'disabled' }],
    ['paused', ['pause'], { pause: 'paused', resume: 'enabled', enable: 409, disable: 'disabled' }],
    ['disabled', ['disable'], { pause: 409, resume: 409, enable: 'enabled', disable: 'disabled' }],
  ] as const)('%s can be left as drawn', async (_name, before, expected) => {
    for (const [name, result] of Object.entries(expected)) {
      id = await test.addEndpoint()
      for (const earlier of before) await step(earlier)
      const { status, json } = await step(name)
      if (result === 409) expect([name, status, json.code]).toEqual([name, 409, 'state_conflict'])
      else expect([name, status, json.status]).toEqual([name, 200, result])
    }
  })

  it('says why it is disabled, until it is enabled', async () => {
    expect((await step('disable')).json.disabled_reason).toBe('requested')
    expect((await step('enable')).json.disabled_reason).toBeNull()
  })

  it('wakes delivery for a change, and not where nothing changes', async () => {
    test.wakes.length = 0
    await step('resume')
    expect(test.wakes).toEqual([])
    await step('pause')
    expect(test.wakes).toMatchObject([{ endpointIds: [id] }])
  })

  it('takes an empty body, {} and nothing else', async () => {
    expect((await test.post(`/v1/endpoints/${id}/pause`, { body: {} })).status).toBe(200)
    const more = await test.post(`/v1/endpoints/${id}/resume`, { body: { force: true } })
    expect(more.json).toMatchObject({ status: 422, errors: [{ path: '/force' }] })
  })

  it.each(['pause', 'resume', 'enable', 'disable'])('%s of nothing is not found', async (name) => {
    expect((await test.post(`/v1/endpoints/ep_none/${name}`)).status).toBe(404)
  })
})

describe('the secrets of an endpoint', () => {
  const secrets = async () => (await test.get(`/v1/endpoints/${id}/secrets`)).json.data
  const rotate = (body?: unknown) => test.post(`/v1/endpoints/${id}/secrets/rotate`, body === undefined ? {} : { body })

  it('are listed without their values', async () => {
    const { text, json } = await test.get(`/v1/endpoints/${id}/secrets`)
    expect(json.data).toMatchObject([{ kind: 'hmac', status: 'active', expires_at: null }])
    expect(text).not.toContain('whsec_')
  })

  it('rotate: the new one is shown once, the old one retires after a day', async () => {
    const [old] = await secrets()
    const { status, json } = await rotate()
    expect(status).toBe(201)
    expect(json).toMatchObject({ status: 'active', secret: expect.stringMatching(/^whsec_/) })
    const listed = await secrets()
    expect(listed.map((secret: { id: string }) => secret.id)).toEqual([json.id, old.id])
    const expires = new Date(test.clock.now() + 86_400_000).toISOString()
    expect(listed[1]).toMatchObject({ status: 'retiring', expires_at: expires })
    test.clock.advance(86_400_000)
    expect(await secrets()).toHaveLength(1)
  })

  it('rotate with an overlap of 0 leaves only the new one', async () => {
    const { json } = await rotate({ overlap_seconds: 0 })
    expect(await secrets()).toMatchObject([{ id: json.id }])
  })

  it.each([
    { overlap_seconds: -1 },
    { overlap_seconds: 604_801 },
    { overlap_seconds: 1.5 },
    { kind: 'ed25519' },
    { a: 1 },
  ])('refuse to rotate with %j', async (body) => {
    expect((await rotate(body)).status).toBe(422)
    expect(await secrets()).toHaveLength(1)
  })

  it('of both kinds rotate one by one, and ed25519 shows its public key', async () => {
    id = await test.addEndpoint({ signing: 'both' })
    const { json } = await rotate({ kind: 'ed25519' })
    expect(json).toMatchObject({ kind: 'ed25519', public_key: expect.stringMatching(/^whpk_/) })
    const listed = await secrets()
    expect(listed.filter(({ kind }: { kind: string }) => kind === 'hmac')).toMatchObject([{ status: 'active' }])
    expect(listed.find((secret: { id: string }) => secret.id === json.id).public_key).toBe(json.public_key)
  })

  it('are revoked one by one, but never the last', async () => {
    const [old] = await secrets()
    const { json } = await rotate()
    test.wakes.length = 0
    expect((await test.ask('DELETE', `/v1/endpoints/${id}/secrets/${old.id}`)).status).toBe(204)
    expect(test.wakes).toMatchObject([{ endpointIds: [id] }])
    const last = await test.ask('DELETE', `/v1/endpoints/${id}/secrets/${json.id}`)
    expect(last.json).toMatchObject({ status: 409, code: 'state_conflict' })
    expect((await test.ask('DELETE', `/v1/endpoints/${id}/secrets/${old.id}`)).status).toBe(404)
    expect((await test.ask('DELETE', `/v1/endpoints/ep_none/secrets/${json.id}`)).status).toBe(404)
  })
})
