import type { Store } from '../store/store.ts'

type DuePage = Awaited<ReturnType<Store['findDueEndpoints']>>

const PAGE = 1000

/** Every endpoint that has something to send, page by page. */
export async function* duePages(store: Store): AsyncGenerator<DuePage> {
  for (let after: string | null = null; ;) {
    const page: DuePage = await store.findDueEndpoints({ after, limit: PAGE })
    yield page
    after = page.due.at(-1)?.endpointId ?? null
    if (after === null || page.due.length < PAGE) return
  }
}
