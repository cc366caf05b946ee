import { request, type IncomingMessage } from 'node:http'
import { request as requestTls } from 'node:https'
import { buffer } from 'node:stream/consumers'
import type { Problem } from '@runbell/sdk/contract'
import { CliError } from './cli-error.ts'

/** Speaks with a server that runs, as its operator. Deliveries never go this way: they have a door of their own. */
export interface ApiClient {
  get<Answer>(path: string): Promise<Answer>
  post<Answer>(path: string, body?: unknown): Promise<Answer>
  /** Posts JSON as it is written. */
  postText<Answer>(path: string, text: string): Promise<Answer>
  patch<Answer>(path: string, body: unknown): Promise<Answer>
  delete(path: string): Promise<void>
  /** An answer that is no JSON, byte for byte. */
  bytes(path: string): Promise<Uint8Array>
  /** The lines of an answer that may be longer than memory. */
  lines(path: string, options?: LinesOptions): AsyncGenerator<string>
}

export interface LinesOptions {
  headers?: Record<string, string>
  /** Ends it, with an error. */
  signal?: AbortSignal
}

/** The server refused. */
export class ApiRefused extends CliError {
  readonly status: number
  /** The problem's code; `null`: it did not say. */
  readonly code: string | null

  constructor(status: number, code: string | null, message: string) {
    super(message)
    this.name = 'ApiRefused'
    this.status = status
    this.code = code
  }
}

/** For a request and its answer together. */
const TIMEOUT_MS = 30_000

/** What is sent. */
interface Sent {
  method: string
  path: string
  json?: string | undefined
  headers?: Record<string, string>
  signal?: AbortSignal
}

/**
 * Speaks HTTP with `node:http`, which is loaded anyway: `fetch` costs a command 100 ms the first time. Redirects are not followed.
 * @param url where the server answers, without `/v1`
 * @param key an API key with the scopes that are needed
 */
export function createApiClient(url: string, key: string): ApiClient {
  /** @throws CliError where it does not answer, ApiRefused where it answers with anything but 2xx */
  async function open({ method, path, json, headers, signal }: Sent): Promise<IncomingMessage> {
    const response = await send(new URL(path, url), {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      body: json,
      signal,
    }).catch(() => {
      throw unreachable(url)
    })
    const status = response.statusCode ?? 0
    if (status >= 200 && status < 300) return response
    throw refusalOf(status, parse((await whole(response)).toString()))
  }

  async function whole(response: IncomingMessage): Promise<Buffer> {
    try {
      return await buffer(response)
    } catch {
      throw brokeOff(url)
    }
  }

  async function call<Answer>(method: string, path: string, json?: string): Promise<Answer> {
    const response = await open({ method, path, json, signal: AbortSignal.timeout(TIMEOUT_MS) })
    return parse((await whole(response)).toString()) as Answer
  }

  async function* lines(path: string, options: LinesOptions = {}): AsyncGenerator<string> {
    const response = await open({ method: 'GET', path, ...options })
    const decoder = new TextDecoder()
    let rest = ''
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        const complete = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n/)
        rest = complete.pop() ?? ''
        yield* complete
      }
    } catch {
      throw brokeOff(url)
    }
    if (rest !== '') yield rest
  }

  return {
    async bytes(path) {
      return await whole(await open({ method: 'GET', path, signal: AbortSignal.timeout(TIMEOUT_MS) }))
    },
    lines,
    get: (path) => call('GET', path),
    post: (path, body) => call('POST', path, body === undefined ? undefined : JSON.stringify(body)),
    postText: (path, text) => call('POST', path, text),
    patch: (path, body) => call('PATCH', path, JSON.stringify(body)),
    async delete(path) {
      await call('DELETE', path)
    },
  }
}

interface Request {
  method: string
  headers: Record<string, string>
  body: string | undefined
  signal: AbortSignal | undefined
}

/** Resolves with the answer's head. */
function send(url: URL, { method, headers, body, signal }: Request): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const start = url.protocol === 'https:' ? requestTls : request
    start(url, { method, headers, ...(signal === undefined ? {} : { signal }) })
      .once('response', resolve)
      .once('error', reject)
      .end(body)
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function unreachable(url: string): CliError {
  return new CliError(`no server answers at ${url}: check the address and that it runs`)
}

function brokeOff(url: string): CliError {
  return new CliError(`${url} broke off in the middle of its answer: look into its log, and try again`)
}

function refusalOf(status: number, answer: unknown): ApiRefused {
  const { detail, suggested_fix: fix, errors, code = null } = (answer ?? {}) as Partial<Problem>
  if (detail === undefined) {
    const message = `the server answered ${status} without saying why: check that it is a Runbell server`
    return new ApiRefused(status, code, message)
  }
  const where = errors?.map(({ path, message }) => ` ${path} ${message}.`).join('') ?? ''
  return new ApiRefused(status, code, `the server refused: ${detail}${where} ${fix ?? ''}`.trimEnd())
}
