import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { onTestFinished, vi } from 'vitest'

export interface FakeType {
  type: string
  origin?: string
  [field: string]: unknown
  versions: { version: number; [field: string]: unknown }[]
}

export interface FakeServer {
  types: Map<string, FakeType>
  /** Method and path of every request. */
  requests: string[]
  /** So many requests that change something are done; those after them fail. */
  changes: number
}

const KEY = 'rb_test_abcd0123efgh4567_Runbell0VectorRunbell0VectorRunbell0VectorR_39bf43ad'

/** A server that keeps types as they come, but for older versions, on loopback; the commands of the test ask it. */
export async function startFakeServer(): Promise<FakeServer> {
  const fake: FakeServer = { types: new Map(), requests: [], changes: Infinity }
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '')
    fake.requests.push(`${request.method} ${path}`)
    void text(request).then((body) => {
      const answer = request.method === 'GET' ? read(fake, path) : change(fake, path, body)
      response.writeHead(answer === null ? 404 : 'status' in answer ? 503 : 200).end(JSON.stringify(answer))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  vi.stubEnv('RUNBELL_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  vi.stubEnv('RUNBELL_API_KEY', KEY)
  return fake
}

/** Two to a page. */
function read({ types }: FakeServer, path: string): object | null {
  const [name, query = ''] = path.slice('/v1/event-types'.length).split('?')
  if (name !== '') return types.get((name as string).slice(1)) ?? null
  const from = Number(new URLSearchParams(query).get('cursor') ?? 0)
  const all = [...types.values()].map(({ versions: _versions, ...type }) => ({ origin: 'own', ...type }))
  return { data: all.slice(from, from + 2), next_cursor: from + 2 < all.length ? String(from + 2) : null }
}

function change(fake: FakeServer, path: string, body: string): object {
  if (fake.changes-- <= 0) return { status: 503, detail: 'The database is away.', suggested_fix: 'Try again later.' }
  const sent = JSON.parse(body) as FakeType
  const name = /^\/v1\/event-types\/([^/]+)/.exec(path)?.[1] ?? sent.type
  const known = fake.types.get(name)
  const { schema, examples, version = 1, down_conversion: down = null, ...rest } = sent
  const made = { version: Number(version), schema, examples, down_conversion: down, retires_at: null }
  const before = known?.versions ?? []
  const isOlder = made.version < (before.at(-1)?.version ?? 0)
  const versions =
    schema === undefined || isOlder ? before : [...before.filter((one) => one.version !== made.version), made]
  const type = { ...known, ...rest, type: name, versions }
  const view = { ...type, current_version: type.versions.at(-1)?.version }
  fake.types.set(name, view)
  return view
}
