import { OpenAPIHono, z, type RouteConfig } from '@hono/zod-openapi'
import { PROBLEMS, type ProblemCode } from '@runbell/sdk/contract'
import { builtInEntries } from '../generate/catalog-entry.ts'
import { renderWebhooks } from '../generate/webhooks.ts'
import { problemStatuses, type RouteDocs } from './route.ts'
import { webhookEventSchema } from './views/schemas.ts'

const problemCodes = Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]

const problemSchema = z
  .object({
    type: z.string().openapi({ description: 'A page that this server serves.' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(problemCodes),
    errors: z.array(
      z.object({
        path: z.string().openapi({ description: 'JSON Pointer' }),
        message: z.string(),
        suggested_fix: z.string().optional(),
      }),
    ),
    retryable: z.boolean(),
    suggested_fix: z.string(),
    request_id: z.string(),
  })
  .openapi('Problem')

/** The OpenAPI 3.1 document of these routes and of what endpoints receive, as JSON text. */
export function renderOpenApi(routes: readonly RouteDocs[], version: string): string {
  const registry = new OpenAPIHono()
  registry.openAPIRegistry.registerComponent('securitySchemes', 'apiKey', {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key `rb_live_…` or `rb_test_…`; its mode decides live or test.',
  })
  registry.openAPIRegistry.register('WebhookEvent', webhookEventSchema)
  for (const route of routes) registry.openAPIRegistry.registerPath(configOf(route))
  const description = 'Self-hosted webhooks for AI agents. Errors are RFC 9457 problem details.'
  const info = { title: 'Runbell', version, description, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } }
  const document = registry.getOpenAPI31Document({ openapi: '3.1.0', info })
  return JSON.stringify({
    ...document,
    webhooks: renderWebhooks(builtInEntries(), '#/components/schemas/WebhookEvent'),
  })
}

function configOf(route: RouteDocs): RouteConfig {
  const { method, path, operationId, summary, scopes, query, bodies } = route
  const responses: RouteConfig['responses'] = {}
  for (const [status, { description, schema, contentType = 'application/json' }] of Object.entries(route.answers)) {
    responses[status] = schema === undefined ? { description } : { description, content: { [contentType]: { schema } } }
  }
  for (const [status, codes] of problemStatuses(route)) {
    const description = codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`).join('. ')
    responses[status] ??= { description, content: { 'application/problem+json': { schema: problemSchema } } }
  }
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string)
  const content = Object.fromEntries(Object.entries(bodies ?? {}).map(([type, schema]) => [type, { schema }]))
  return {
    method,
    path,
    operationId,
    summary,
    tags: [path.split('/')[path.startsWith('/v1/') ? 2 : 1] as string],
    ...(scopes === null ? {} : { description: `Scope: ${scopes.join(' or ')}.`, security: [{ apiKey: [] }] }),
    request: {
      ...(names.length === 0 ? {} : { params: z.object(Object.fromEntries(names.map((name) => [name, z.string()]))) }),
      ...(query === undefined ? {} : { query }),
      ...(bodies === undefined ? {} : { body: { content, required: route.bodyRequired ?? true } }),
    },
    responses,
  }
}
