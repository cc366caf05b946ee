import { createHash } from 'node:crypto'
import { CliError, EXIT } from '../cli-error.ts'
import { printLine } from '../output.ts'
import { createScreen } from '../screen.ts'
import { judgeRequest, type Judged, type Judging } from './judge-request.ts'
import { readFileBytes } from './read-bytes.ts'
import { parseHeaderLines, parseHeaders, parseSavedRequest, type SavedRequest } from './saved-request.ts'
import { readSecrets, type SecretOptions } from './secret-source.ts'
import { sentBytes, type SentOptions } from './sent-bytes.ts'

export interface VerifyOptions extends SecretOptions, SentOptions {
  header?: string[]
  data?: string
  headers?: string
  body?: string
  tolerance?: string
  prefix?: string
  at?: string
  json?: boolean
}

/** An event has 1 MiB at most; base64 and headers come on top. */
const REQUEST_BYTES = 4 * 1024 * 1024

/** @throws CliError where there is nothing to judge, or nothing to judge it with */
export async function verifyRequest(path: string | undefined, options: VerifyOptions): Promise<number> {
  const judging = readJudging(options)
  const secrets = await readSecrets(options)
  const request = await readRequest(path, options)
  const sent = await sentBytes(request, options)
  const judged = await judge(request, { ...judging, secrets, sent })
  const sha256 = createHash('sha256').update(request.body).digest('hex')
  if (options.json === true) {
    const { body, notes } = request
    printLine(JSON.stringify({ ...judged, body_bytes: body.length, body_sha256: sha256, notes }))
  } else print(request, judged, sha256)
  return judged.verified ? EXIT.ok : EXIT.notWell
}

async function judge(request: SavedRequest, judging: Judging): Promise<Judged> {
  try {
    return await judgeRequest(request, judging)
  } catch (error) {
    if (error instanceof TypeError) throw new CliError(error.message, EXIT.usage)
    throw error
  }
}

function readJudging({ tolerance, prefix, at }: VerifyOptions): Omit<Judging, 'secrets'> {
  if (tolerance !== undefined && !/^\d{1,9}$/.test(tolerance)) {
    throw new CliError(`--tolerance "${tolerance}" is not a number of seconds: write one such as 300`, EXIT.usage)
  }
  const time = at === undefined ? Date.now() : at === 'sent' ? at : Date.parse(at)
  if (Number.isNaN(time)) {
    throw new CliError(`--at "${at}" is not a time: write one such as 2026-01-31T12:00:00Z, or sent`, EXIT.usage)
  }
  return {
    at: time,
    ...(tolerance === undefined ? {} : { toleranceSeconds: Number(tolerance) }),
    ...(prefix === undefined ? {} : { headerPrefix: prefix }),
  }
}

async function readRequest(path: string | undefined, options: VerifyOptions): Promise<SavedRequest> {
  const { header = [], data, headers, body } = options
  const inParts = header.length > 0 || [data, headers, body].some((part) => part !== undefined)
  if (!inParts) {
    if (path === undefined && process.stdin.isTTY) {
      throw new CliError('there is no request to verify: name a file with one, or see --help', EXIT.usage)
    }
    return parseSavedRequest(await readFileBytes(path ?? '-', REQUEST_BYTES))
  }
  if (path !== undefined) throw new CliError('give the request as a file or in parts, not both', EXIT.usage)
  if (data !== undefined && body !== undefined)
    throw new CliError('--body and --data are the same: give one', EXIT.usage)
  const fromFile = headers === undefined ? [] : parseHeaders(await readFileBytes(headers, REQUEST_BYTES))
  return { headers: [...fromFile, ...parseHeaderLines(header)], body: await readBody(body, data), notes: [] }
}

/** `--data @file` takes the file as it is: other programs leave its line breaks out. */
async function readBody(path: string | undefined, data: string | undefined): Promise<Buffer> {
  if (path !== undefined) return await readFileBytes(path, REQUEST_BYTES)
  if (data?.startsWith('@') === true) return await readFileBytes(data.slice(1), REQUEST_BYTES)
  if (data !== undefined) return Buffer.from(data)
  throw new CliError('there is no body to verify: name its file with --body, - for standard input', EXIT.usage)
}

function print({ body, notes }: SavedRequest, judged: Judged, sha256: string): void {
  const screen = createScreen(process.stdout)
  const { verified, reason, likely_cause: cause, event_id: id, sent_at: sentAt, secret_number: number } = judged
  const verdict = verified
    ? screen.paint('green', `verified, by secret ${number}`)
    : screen.paint('red', `not verified: ${reason}${cause === null ? '' : `, ${cause}`}`)
  screen.line(verdict)
  screen.line(`  ${judged.message}`)
  if (judged.fix !== null) screen.line(`  ${judged.fix}`)
  for (const note of notes) screen.line(`  ${note}`)
  screen.line(`  event  ${id === null ? 'not named' : id.replaceAll(/\P{ASCII}|\p{C}/gu, '').slice(0, 256)}`)
  screen.line(`  sent   ${sentAt ?? 'at an unknown time'}`)
  screen.line(`  body   ${body.length} bytes, SHA-256 ${sha256}`)
}
