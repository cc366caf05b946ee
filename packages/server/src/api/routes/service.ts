import { z } from '@hono/zod-openapi'
import { jsonAnswer, textAnswer } from '../http/answer.ts'
import { refused } from '../http/problem.ts'
import { definePage, type Route } from '../route.ts'

const status = z.object({ status: z.string(), version: z.string() }).openapi('ServiceStatus')

const readiness = status
  .extend({ storage: z.enum(['ok', 'low', 'full']).openapi({ description: 'low: publishing is answered with 507' }) })
  .openapi('Readiness')

const livez = definePage({
  path: '/livez',
  operationId: 'getLiveness',
  summary: 'The process answers; says nothing about the database',
  answers: { 200: { description: 'Alive', schema: status } },
  problems: [],
  handle: ({ context }) => jsonAnswer(200, { status: 'ok', version: context.version }),
})

const readyz = definePage({
  path: '/readyz',
  operationId: 'getReadiness',
  summary: 'Requests can be served',
  answers: { 200: { description: 'Ready', schema: readiness } },
  problems: ['unavailable'],
  handle({ context }) {
    const reason = context.unready()
    if (reason === null) return jsonAnswer(200, { status: 'ok', version: context.version, storage: context.storage() })
    throw refused('unavailable', `Not ready: ${reason}.`, 'Wait; it goes on by itself once the reason is gone.')
  },
})

export const HEALTH_ROUTES: readonly Route[] = [livez, readyz]

/** @param render makes the document, once it is asked for */
export function openApiRoute(render: () => string): Route {
  let document: string | null = null
  return definePage({
    path: '/openapi.json',
    operationId: 'getOpenApi',
    summary: 'This document',
    answers: { 200: { description: 'OpenAPI 3.1', schema: z.looseObject({ openapi: z.string() }) } },
    problems: [],
    handle: () => textAnswer(200, (document ??= render())),
  })
}
