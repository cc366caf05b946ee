import { Hono } from 'hono'
import { toResponse, type Answer, type StreamedAnswer } from './http/answer.ts'
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
  const answer = async (work: () => Promise<Answer | StreamedAnswer>, requestId: string): Promise<Response> => {
    try {
      return toResponse(await work(), requestId)
    } catch (error) {
      return toResponse(answerError(error, services.context.log, requestId), requestId)
    }
  }
  for (const [path, served] of byPath(routes)) {
    for (const route of served) {
      router.on(route.method, pattern(path), (context) => {
        const requestId = services.nextRequestId()
        const params: Record<string, string> = context.req.param()
        return answer(() => route.serve(services, { raw: context.req.raw, requestId, params }), requestId)
      })
    }
    const allow = served.map(({ method }) => (method === 'get' ? 'GET, HEAD' : method.toUpperCase())).join(', ')
    router.all(pattern(path), (context) => {
      const fail = () => Promise.reject(wrongMethod(context.req.method, allow))
      return answer(fail, services.nextRequestId())
    })
  }
  router.notFound(() => answer(() => Promise.reject(notFoundRoute()), services.nextRequestId()))
  router.onError((error) => answer(() => Promise.reject(error), services.nextRequestId()))
  return router
}

/** Paths with what they serve; a fixed name comes before a parameter in its place, since `{` sorts after all letters. */
function byPath(routes: readonly Route[]): [string, Route[]][] {
  const groups = new Map<string, Route[]>()
  for (const route of routes) groups.set(route.path, [...(groups.get(route.path) ?? []), route])
  return [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1))
}

function wrongMethod(method: string, allow: string): Error {
  return refused('method_not_allowed', `This route does not have ${method.slice(0, 20)}.`, `Use ${allow}.`, [], {
    allow,
  })
}
