import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateKeyPair, generateSecret, signedHeaders } from '@runbell/sdk/signing'
import { expect, test, vi } from 'vitest'
import { temporaryFolder } from '../testing/cli-process.ts'
import { captureOutput, runHere } from '../testing/run-here.ts'

captureOutput()

const SECRET = generateSecret()
const ID = 'evt_test_00000001'
const BODY = `{"event_id":"${ID}","type":"agent.message.sent","data":{"text":"Grüße / 7 €","n":[1,2]}}`
const MINUTE = 60_000

interface Made {
  body?: string
  secret?: string
  ageMs?: number
  id?: string
}

async function headersFor({ body = BODY, secret = SECRET, ageMs = 0, id = ID }: Made = {}) {
  const timestamp = Math.floor((Date.now() - ageMs) / 1000)
  return await signedHeaders({ id, timestamp, body, secrets: [secret] })
}

function file(content: string | Uint8Array): string {
  const path = join(temporaryFolder(), 'request')
  writeFileSync(path, content)
  return path
}

function rawRequest(headers: Record<string, string>, body: string | Uint8Array, lineEnd = '\r\n'): Buffer {
  const lines = ['POST /hooks HTTP/1.1', ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`), '', '']
  return Buffer.concat([Buffer.from(lines.join(lineEnd)), Buffer.from(body)])
}

async function verdictOf(content: string | Uint8Array, ...flags: string[]) {
  const { code, out, err } = await runHere('verify', file(content), '--secret', SECRET, '--json', ...flags)
  expect(err).toBe('')
  expect(out.includes(SECRET.slice(6))).toBe(false)
  return { code, ...JSON.parse(out) }
}

test.each(['\r\n', '\n'])('a request as it came verifies, with lines that end in %j', async (lineEnd) => {
  const headers = await headersFor()
  expect(await verdictOf(rawRequest(headers, BODY, lineEnd))).toMatchObject({
    ...{ code: 0, verified: true, event_id: ID, secret_number: 1, reason: null, signature_right: true },
    body_bytes: Buffer.byteLength(BODY),
  })
})

test('it is read as JSON too, as the inbox lists it, and in parts', async () => {
  const headers = await headersFor()
  expect(await verdictOf(JSON.stringify({ headers, body: BODY }))).toMatchObject({ code: 0 })
  const encoded = { headers, body_base64: Buffer.from(BODY).toString('base64') }
  expect(await verdictOf(JSON.stringify(encoded))).toMatchObject({ code: 0 })
  expect(await verdictOf(JSON.stringify({ data: [{ headers, body: BODY }, {}] }))).toMatchObject({
    code: 0,
    notes: ['Of 2 requests the first was taken.'],
  })
  vi.stubEnv('RUNBELL_SECRET', `${generateSecret()}, ${SECRET}\n`)
  const flags = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  expect(await runHere('verify', ...flags, '-d', BODY)).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^verified, by secret 2\n/),
  })
  const headerFile = file(
    Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}`)
      .join('\n'),
  )
  expect(await runHere('verify', '--headers', headerFile, '--body', file(BODY))).toMatchObject({ code: 0 })
  expect(await runHere('verify', '--headers', file(JSON.stringify(headers)), '-d', `@${file(BODY)}`)).toMatchObject({
    code: 0,
  })
  const secretFile = file(`${SECRET}\n`)
  vi.stubEnv('RUNBELL_SECRET', undefined)
  const path = file(rawRequest(headers, BODY))
  expect(await runHere('verify', path, '--secret-file', secretFile)).toMatchObject({ code: 0 })
})

test('what was kept too long is said to be right otherwise, and can be judged at its own time', async () => {
  const old = rawRequest(await headersFor({ ageMs: 20 * MINUTE }), BODY)
  expect(await verdictOf(old)).toMatchObject({
    ...{ code: 5, reason: 'timestamp_too_old', signature_right: true },
    message: expect.stringMatching(/1200 seconds old.*The signature itself is right/),
  })
  expect(await verdictOf(old, '--at', 'sent')).toMatchObject({ code: 0 })
  expect(await verdictOf(old, '--tolerance', '1300')).toMatchObject({ code: 0 })
  expect(await verdictOf(old, '--at', new Date(Date.now() - 19 * MINUTE).toISOString())).toMatchObject({ code: 0 })
  const early = rawRequest(await headersFor({ ageMs: -20 * MINUTE }), BODY)
  expect(await verdictOf(early)).toMatchObject({ code: 5, reason: 'timestamp_in_future', signature_right: true })
  const both = rawRequest(await headersFor({ ageMs: 20 * MINUTE, secret: generateSecret() }), BODY)
  expect(await verdictOf(both)).toMatchObject({ code: 5, reason: 'timestamp_too_old', signature_right: false })
})

const python = BODY.replaceAll('":', '": ').replaceAll(',"', ', "').replace('[1,2]', '[1, 2]')
const inEnvelope = BODY.replace(/"data":.*/, '"data":{"text": "Gr\\u00fc\\u00dfe / 7 \\u20ac", "n": [1, 2]}}')
const CHANGES: [cause: string, signed: string, received: string | Uint8Array][] = [
  ['bom_added', BODY, `\ufeff${BODY}`],
  ['final_newline_removed', `${BODY}\n`, BODY],
  ['trimmed', `${BODY}\r\n`, BODY],
  ['trimmed', `\n${BODY}\n`, BODY],
  ['padded', python, `  ${python}  `],
  ['lf_became_crlf', `{\n"a":1}`, `{\r\n"a":1}`],
  ['utf8_read_as_latin1', '{"a":"é–"}', Buffer.from(Buffer.from('{"a":"é–"}').toString('latin1'))],
  ['utf8_sent_as_latin1', '{"a":"é"}', Buffer.from('{"a":"é"}', 'latin1')],
  ['json_reformatted', BODY, JSON.stringify(JSON.parse(BODY), null, 2)],
  ['json_reserialised', python, BODY],
  ['json_reserialised', inEnvelope, BODY],
  ['json_reserialised', BODY.replaceAll('/', '\\/'), BODY],
  ['json_reserialised', JSON.stringify(JSON.parse(BODY), null, 4), BODY],
  ['base64_encoded', BODY, Buffer.from(BODY).toString('base64')],
  ['json_string', BODY, JSON.stringify(BODY)],
  ['unicode_form', BODY.normalize('NFD'), BODY.normalize('NFC')],
]

test.each(CHANGES)('a body that was changed is explained: %s', async (cause, signed, received) => {
  const headers = await headersFor({ body: signed })
  const request = JSON.stringify({ headers, body_base64: Buffer.from(received).toString('base64') })
  expect(await verdictOf(request)).toMatchObject({
    ...{ code: 5, reason: 'wrong_signature', likely_cause: cause, signature_right: false },
    message: expect.stringMatching(/The secret is right/),
  })
  const other = await runHere('verify', file(request), '--secret', generateSecret(), '--json')
  expect(JSON.parse(other.out)).toMatchObject({ reason: 'wrong_signature', likely_cause: null })
})

test('with the bytes that were sent, a wrong secret and a changed body are told apart', async () => {
  const changed = BODY.replace('[1,2]', '[1.0,2]')
  const headers = await headersFor({ body: changed })
  const sent = ['--sent', file(changed)]
  expect(await verdictOf(JSON.stringify({ headers, body: BODY }), ...sent)).toMatchObject({
    likely_cause: 'json_reserialised',
    message: expect.stringMatching(/from byte \d+ on: sent were "\.0,2.*, here are ",2/),
  })
  const signedByOther = await headersFor({ secret: generateSecret() })
  expect(await verdictOf(rawRequest(signedByOther, BODY), '--sent', file(BODY))).toMatchObject({
    likely_cause: 'wrong_secret',
  })
})

test('headers and body of two requests are told', async () => {
  const headers = await headersFor({ body: BODY.replace(ID, 'evt_test_00000002'), id: 'evt_test_00000002' })
  expect(await verdictOf(rawRequest(headers, BODY))).toMatchObject({ likely_cause: 'another_event' })
})

test('an ed25519 signature verifies under its public key', async () => {
  const { privateKey, publicKey } = await generateKeyPair()
  const path = file(rawRequest(await headersFor({ secret: privateKey }), BODY))
  expect(await runHere('verify', path, '--secret', publicKey)).toMatchObject({ code: 0 })
  expect(await verdictOf(rawRequest(await headersFor({ secret: privateKey }), BODY))).toMatchObject({
    reason: 'no_supported_signature',
  })
})

test('a file that an editor has saved is taken by its content-length, and a cut one is told', async () => {
  const headers = { ...(await headersFor()), 'content-length': String(Buffer.byteLength(BODY)) }
  expect(await verdictOf(rawRequest(headers, `${BODY}\n`, '\n'))).toMatchObject({
    code: 0,
    notes: [expect.stringMatching(/line break/)],
  })
  expect(await verdictOf(rawRequest(headers, BODY.slice(0, -9)))).toMatchObject({
    code: 5,
    notes: [expect.stringMatching(/content-length says .* cut or changed/)],
  })
  const { 'content-length': _length, ...unsized } = headers
  const chunked = `10\r\n${BODY.slice(0, 16)}\r\n${(Buffer.byteLength(BODY) - 16).toString(16)}\r\n${BODY.slice(16)}\r\n0\r\n\r\n`
  expect(await verdictOf(rawRequest({ ...unsized, 'transfer-encoding': 'chunked' }, chunked))).toMatchObject({
    code: 0,
  })
})

test('what cannot be judged is said in a sentence that shows nothing of a secret', async () => {
  const headers = await headersFor()
  const path = file(rawRequest(headers, BODY))
  const none = await runHere('verify', path)
  expect(none).toMatchObject({
    code: 2,
    err: expect.stringMatching(/no secret to verify with: give it in RUNBELL_SECRET/),
  })
  const broken = await runHere('verify', path, '--secret', `${SECRET.slice(0, -3)}…`)
  expect([broken.code, broken.out]).toEqual([5, expect.stringMatching(/malformed_secret/)])
  expect(broken.out + broken.err).not.toContain(SECRET.slice(6, 20))
  const codes = [
    await runHere('verify', `${path}-none`, '--secret', SECRET),
    await runHere('verify', file('no request at all'), '--secret', SECRET),
    await runHere('verify', file('{"headers":{}}'), '--secret', SECRET),
    await runHere('verify', path, '--secret', SECRET, '--at', 'noon'),
    await runHere('verify', path, '--secret', SECRET, '--tolerance', '-1'),
    await runHere('verify', path, '--secret', SECRET, '--prefix', '/'),
    await runHere('verify', path, '--secret', SECRET, '-d', BODY),
  ].map(({ code, err }) => [code, err.split('\n').length])
  expect(codes).toEqual([
    [1, 1],
    [1, 1],
    [1, 1],
    [2, 1],
    [2, 1],
    [2, 1],
    [2, 1],
  ])
})

test('deeply nested JSON is no explanation and no crash', async () => {
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
  expect(await verdictOf(rawRequest(await headersFor(), deep))).toMatchObject({ code: 5, likely_cause: null })
})
