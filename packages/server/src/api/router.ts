import { Hono } from 'hono'
import { toResponse, type Answer } from './http/answer.ts'
import { answerError } from './http/failure.ts'
import { notFoundRoute, refused } from './http/problem.ts'
import type { ApiServices, Route } from './route.ts'

/** `/v1/events/{event_id}` as hono spells it. */
function pattern(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1')
}

/** Serves the routes; whatever is thrown becomes a problem, and every request gets an id. */
export function createRouter(services: ApiServices, routes: readonly Route[]): Hono {
  const router = new Hono()
  const answer = async (work: () => Promise<Answer>, requestId: string): Promise<Response> => {
    try {
      return toResponse(await work(), requestId)
    } catch (error) {
      return toResponse(answerError(error, services.context.log, requestId), requestId)
    }
  }
  for (const route of routes) {
    router.on(route.method, pattern(route.path), (context) => {
      const requestId = services.nextRequestId()
      const params: Record<string, string> = context.req.param()
      return answer(() => route.serve(services, { raw: context.req.raw, requestId, params }), requestId)
    })
  }
  for (const [path, methods] of methodsByPath(routes)) {
    router.all(pattern(path), (context) => {
      const fail = () => Promise.reject(wrongMethod(context.req.method, methods))
      return answer(fail, services.nextRequestId())
    })
  }
  router.notFound(() => answer(() => Promise.reject(notFoundRoute()), services.nextRequestId()))
  router.onError((error) => answer(() => Promise.reject(error), services.nextRequestId()))
  return router
}

function methodsByPath(routes: readonly Route[]): Map<string, string[]> {
  const methods = new Map<string, string[]>()
  for (const { path, method } of routes) {
    const also = method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]
    methods.set(path, [...(methods.get(path) ?? []), ...also])
  }
  return methods
}

function wrongMethod(method: string, methods: readonly string[]): Error {
  const allow = methods.join(', ')
  const fix = `Use ${allow}.`
  return refused('method_not_allowed', `This route does not have ${method.slice(0, 20)}.`, fix, [], { allow })
}
