import { z } from '@hono/zod-openapi'
import { publishedSchema } from '../../generate/published-schema.ts'
import { schemaOf, schemaUrl } from '../catalog/type-view.ts'
import { textAnswer } from '../http/answer.ts'
import { notFound } from '../http/problem.ts'
import { definePage, type Route } from '../route.ts'

const FILE = /^([1-9][0-9]{0,5})\.json$/

/** Schemas hold no data and need no key: a receiver validates with them. What is live comes before what is in test mode. */
const getSchema = definePage({
  path: '/schemas/{type}/{file}',
  operationId: 'getSchema',
  summary: 'The JSON Schema of the data of a type in a version: {file} is 1.json, 2.json and so on',
  answers: {
    200: { description: 'JSON Schema 2020-12', schema: z.looseObject({}), contentType: 'application/schema+json' },
  },
  problems: ['not_found'],
  handle({ context }, params) {
    const type = params['type'] ?? ''
    const version = Number(FILE.exec(params['file'] ?? '')?.[1] ?? 0)
    const { catalogs } = context
    const schema = schemaOf(catalogs, 'live', type, version) ?? schemaOf(catalogs, 'test', type, version)
    if (schema === null) throw notFound()
    const published = publishedSchema(type, { ...schema }, schemaUrl(context.publicUrl, type, version))
    const answer = textAnswer(200, JSON.stringify(published))
    return { ...answer, headers: { ...answer.headers, 'content-type': 'application/schema+json' } }
  },
})

export const SCHEMA_ROUTES: readonly Route[] = [getSchema]
