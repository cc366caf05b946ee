import { describe, expect, test } from 'vitest'
import { createTestApi } from '../../packages/server/src/api/testing/test-api.ts'

describe('headers of an endpoint', () => {
  test('have at most 16 KiB in all, also where some are kept as they are', async () => {
    const api = await createTestApi()
    const value = 'x'.repeat(15_000)
    const id = await api.addEndpoint({ headers: { 'x-0': value } })
    const kept: Record<string, string> = { 'x-0': '•••' }
    const statuses: number[] = []
    for (let count = 1; count < 5; count++) {
      const answer = await api.ask('PATCH', `/v1/endpoints/${id}`, {
        body: { headers: { ...kept, [`x-${count}`]: value } },
      })
      statuses.push(answer.status)
      kept[`x-${count}`] = '•••'
    }
    const { endpoints } = await api.store.loadEndpoints({ endpointIds: [id] })
    const bytes = Object.values(endpoints[0]?.headers ?? {}).join('').length
    expect({ bytes: bytes <= 16 * 1024, statuses }).toEqual({ bytes: true, statuses: [422, 422, 422, 422] })
  })
})
