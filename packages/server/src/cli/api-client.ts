import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
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
  lines(path: string): AsyncGenerator<string>
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

/**
 * @param url where the server answers, without `/v1`
 * @param key an API key with the scopes that are needed
 */
export function createApiClient(url: string, key: string): ApiClient {
  async function call<Answer>(method: string, path: string, json?: string): Promise<Answer> {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const init = { method, headers, redirect: 'manual' as const, signal: AbortSignal.timeout(TIMEOUT_MS) }
    let status: number
    let text: string
    try {
      // oxlint-disable-next-line no-restricted-globals -- the operator's own server, named by the operator; no delivery goes here
      const response = await fetch(new URL(path, url), json === undefined ? init : { ...init, body: json })
      status = response.status
      text = await response.text()
    } catch {
      throw unreachable(url)
    }
    const answer = parse(text)
    if (status >= 200 && status < 300) return answer as Answer
    throw refusalOf(status, answer)
  }

  /** @throws CliError where it does not answer, ApiRefused where it answers with anything but 2xx */
  async function open(path: string, headers: Record<string, string>, signal?: AbortSignal): Promise<Response> {
    let response: Response
    try {
      const init = { headers: { authorization: `Bearer ${key}`, ...headers }, redirect: 'manual' as const }
      // oxlint-disable-next-line no-restricted-globals -- as above
      response = await fetch(new URL(path, url), signal === undefined ? init : { ...init, signal })
    } catch {
      throw unreachable(url)
    }
    if (!response.ok || response.body === null) {
      throw refusalOf(response.status, parse(await response.text()))
    }
    return response
  }

  async function bytes(path: string): Promise<Uint8Array> {
    const response = await open(path, {}, AbortSignal.timeout(TIMEOUT_MS))
    try {
      return new Uint8Array(await response.arrayBuffer())
    } catch {
      throw brokeOff(url)
    }
  }

  async function* lines(path: string): AsyncGenerator<string> {
    const response = await open(path, {})
    try {
      yield* createInterface({ input: Readable.fromWeb(response.body as NodeReadableStream), crlfDelay: Infinity })
    } catch {
      throw brokeOff(url)
    }
  }

  return {
    bytes,
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
