import { BUILT_IN_TYPES, SERVICE_TYPES } from '@runbell/sdk/catalog'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { createTestApi } from '../api/testing/test-api.ts'

interface Document {
  webhooks: Record<string, { post: { requestBody: { content: { 'application/json': { schema: object } } } } }>
}

async function load(): Promise<{ document: Document; schemaOf: (type: string) => object }> {
  const { json } = await (await createTestApi()).get('/openapi.json', { key: null })
  const document = json as Document
  const schemaOf = (type: string) => document.webhooks[type]?.post.requestBody.content['application/json'].schema ?? {}
  return { document, schemaOf }
}

/** Every reference in a document. */
function references(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) =>
    name === '$ref' && typeof inner === 'string' ? [inner] : references(inner),
  )
}

describe('the webhooks of the OpenAPI document', () => {
  it('are there for every type, and every reference leads somewhere', async () => {
    const { document } = await load()
    expect(Object.keys(document.webhooks)).toEqual([...BUILT_IN_TYPES.keys(), ...SERVICE_TYPES.keys()])
    const found = references(document)
    expect(found.length).toBeGreaterThan(50)
    for (const reference of found) {
      const target = reference
        .split('/')
        .slice(1)
        .reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], document)
      expect(target, reference).toBeTypeOf('object')
    }
  })

  it('describe the events: samples are valid, and what is wrong is not', async () => {
    const { document, schemaOf } = await load()
    const ajv = new Ajv2020({ strict: false, validateFormats: false })
    ajv.addSchema(document, 'document')
    for (const [type, { samples }] of [...BUILT_IN_TYPES, ...SERVICE_TYPES]) {
      const pointer = `document#/webhooks/${type}/post/requestBody/content/application~1json/schema`
      const validate = ajv.compile({ $ref: pointer })
      for (const sample of Object.values(samples))
        expect([type, validate(sample), validate.errors]).toEqual([type, true, null])
      expect(validate({ ...samples.live, type: 'agent.other.happened' }), type).toBe(false)
      expect(validate({ ...samples.live, data: { status: 7 } }), type).toBe(false)
      expect(JSON.stringify(schemaOf(type))).toContain('x-data-class')
    }
  })
})
