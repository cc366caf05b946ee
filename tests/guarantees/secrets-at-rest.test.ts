import { createPublicKey, randomBytes, verify, type JsonWebKey } from 'node:crypto'
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verifyWebhook } from '@runbell/sdk/signing'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  anEvent,
  attemptsOf,
  createEndpoint,
  deliveryOf,
  get,
  newType,
  post,
  publish,
  request,
  untilDelivery,
  type CreatedSecret,
} from '../support/client.ts'
import { startReceiver, type Receiver } from '../support/receiver.ts'
import { runCommand } from '../support/run-command.ts'
import { ADMIN_KEY, MASTER_KEY, startServer, TEST_ADMIN_KEY, type ServerProcess } from '../support/server-process.ts'
import { signaturesOf, signedBytes } from '../support/signatures.ts'
import { until } from '../support/until.ts'

/** The forms in which a secret could be lying about. */
function formsOf(secret: string): string[] {
  const bytes = [Buffer.from(secret)]
  const encoded = /^wh..._?(.+)$/.exec(secret)?.[1]?.replace(/^_/, '')
  if (encoded !== undefined) bytes.push(Buffer.from(encoded, 'base64'))
  const forms = bytes.flatMap((each) => [each.toString('latin1'), each.toString('hex'), each.toString('base64')])
  // At the two other offsets of base64, without the characters at the ends that depend on what stands beside.
  const shifted = [1, 2].map((offset) =>
    Buffer.concat([Buffer.alloc(offset), Buffer.from(secret)])
      .toString('base64')
      .slice(4, -4),
  )
  return [...forms, ...shifted]
}

let folder: string
let receiver: Receiver
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runbell-secrets-'))
  receiver = await startReceiver(() => 204)
})
afterAll(async () => {
  await receiver.close()
  await rm(folder, { recursive: true, force: true })
})

const newFolder = () => mkdtemp(join(folder, 'data-'))

async function delivered(server: ServerProcess, type: string) {
  const { event_id: id } = await publish(server, anEvent(type))
  const isIt = ({ eventId }: { eventId: string }) => eventId === id
  await receiver.until((received) => received.some(isIt))
  return receiver.received.find(isIt) as (typeof receiver.received)[number]
}

describe('Signing secrets and custom header values: AES-256-GCM under a per-tenant key wrapped by a master key', () => {
  test('no secret, key or header value is in a file, a backup or a log', async () => {
    const dataDir = await newFolder()
    const canary = `canary-${randomBytes(12).toString('hex')}`
    const server = await startServer(dataDir, { RUNBELL_LOG_LEVEL: 'debug' })
    const type = newType()
    const headers = { 'x-team': canary }
    const endpoint = await createEndpoint(server, receiver.url, type, { signing: 'both', headers })
    const rotated = await post<CreatedSecret>(server, `/v1/endpoints/${endpoint.id}/secrets/rotate`, {})
    expect((await delivered(server, type)).headers['x-team']).toBe(canary)
    // One that answers with what it was sent, as many do while they are being set up.
    const echoing = await startReceiver((_index, { headers: sent }) => ({
      status: 400,
      body: JSON.stringify(sent),
      headers: { 'x-sent': String(sent['x-team']) },
    }))
    const other = newType()
    await createEndpoint(server, echoing.url, other, { headers, retry_schedule: [] })
    const { event_id: echoed } = await publish(server, anEvent(other))
    await untilDelivery(server, echoed)
    const [attempt] = await attemptsOf(server, (await deliveryOf(server, echoed)).id)
    expect(JSON.stringify(attempt)).toContain('x-team')
    expect(JSON.stringify(attempt)).not.toContain(canary)
    await echoing.close()
    expect((await runCommand(['backup', join(dataDir, 'backup.db'), '--data-dir', dataDir])).code).toBe(0)
    const secrets = [canary, endpoint.secret, rotated.secret, MASTER_KEY, ADMIN_KEY, TEST_ADMIN_KEY] as string[]
    const forms = secrets.flatMap(formsOf)
    const find = async () => {
      const files = await readdir(dataDir)
      const contents = await Promise.all(files.map((name) => readFile(join(dataDir, name), 'latin1')))
      const found = files.filter((_, index) => forms.some((form) => contents[index]?.includes(form)))
      return [...found, ...(forms.some((form) => server.log().includes(form)) ? ['log'] : [])]
    }
    // The id is there, so it was looked for in the right place.
    expect(await readFile(join(dataDir, 'backup.db'), 'latin1')).toContain(endpoint.id)
    expect(await find()).toEqual([])
    expect(await server.end('SIGTERM')).toBe(0)
    expect(await find()).toEqual([])
  })

  test('production does not start without a master key, nor with a wrong one, and nothing is sent', async () => {
    const dataDir = await newFolder()
    const server = await startServer(dataDir)
    const type = newType()
    const { id } = await createEndpoint(server, receiver.url, type)
    await post(server, `/v1/endpoints/${id}/pause`)
    await publish(server, anEvent(type))
    await post(server, `/v1/endpoints/${id}/resume`)
    await receiver.until((received) => received.length > 0)
    await server.end('SIGTERM')
    const before = receiver.received.length
    const start = ['start', '--port', '0', '--data-dir', dataDir]
    const none = await runCommand(start, { RUNBELL_MASTER_KEY: '' })
    expect([none.code, none.stdout]).toEqual([2, ''])
    expect(none.stderr).toMatch(/needs a master key.*runbell keys generate-master.*RUNBELL_MASTER_KEY_FILE/)
    const wrong = await runCommand(start, { RUNBELL_MASTER_KEY: randomBytes(32).toString('base64') })
    expect([wrong.code, wrong.stdout]).toEqual([1, ''])
    expect(wrong.stderr).toMatch(/^runbell: the master key does not fit this database: .* and given is [0-9a-f]{16}\n$/)
    const odd = await runCommand(start, { RUNBELL_MASTER_KEY: 'not-a-key-canary' })
    expect([odd.code, odd.stderr.includes('canary')]).toEqual([2, false])
    const both = await runCommand(start, { RUNBELL_MASTER_KEY: MASTER_KEY, RUNBELL_MASTER_KEY_FILE: '/nowhere' })
    expect(both.code).toBe(2)
    expect(receiver.received).toHaveLength(before)
  })

  test('the master key rotates while deliveries go on; after that the old one alone is refused', async () => {
    const [dataDir, file] = [await newFolder(), join(folder, 'master.key')]
    const environment = { RUNBELL_MASTER_KEY: '', RUNBELL_MASTER_KEY_FILE: file }
    expect((await runCommand(['keys', 'generate-master'])).stdout).toMatch(/^[A-Za-z0-9+/]{43}=\n$/)
    await writeFile(file, `${MASTER_KEY}\n`, { mode: 0o600 })
    let server = await startServer(dataDir, environment)
    const type = newType()
    const { secret = '' } = await createEndpoint(server, receiver.url, type)
    await delivered(server, type)
    const ids: string[] = []
    const stopped = new AbortController()
    const publishing = (async () => {
      while (!stopped.signal.aborted) ids.push((await publish(server, anEvent(type))).event_id)
    })()
    await until(
      'it is busy',
      () => ids.length,
      (count) => count > 5,
    )

    expect((await runCommand(['keys', 'generate-master', '--prepend-to', file])).stdout).toBe('')
    const rotate = ['keys', 'rotate-master', '--url', server.url, '--key', ADMIN_KEY, '--json']
    const rotated = await runCommand(rotate)
    expect(rotated).toMatchObject({ code: 0, stderr: '' })
    const { rewrapped, retired_master_key_ids: retired } = JSON.parse(rotated.stdout) as {
      rewrapped: number
      retired_master_key_ids: string[]
    }
    expect(rewrapped).toBeGreaterThanOrEqual(2)
    expect(retired).toHaveLength(1)
    const during = ids.length
    await until(
      'it goes on',
      () => ids.length,
      (count) => count > during + 5,
    )
    stopped.abort()
    await publishing
    const arrived = () => new Set(receiver.received.map(({ eventId }) => eventId))
    await until('all have arrived', arrived, (seen) => ids.every((id) => seen.has(id)))
    for (const { body, headers, eventId } of receiver.received) {
      if (ids.includes(eventId)) new Webhook(secret).verify(body.toString(), headers as Record<string, string>)
    }
    expect(await server.end('SIGTERM')).toBe(0)

    const [next = '', old = ''] = (await readFile(file, 'utf8')).split('\n')
    await writeFile(file, old)
    expect((await runCommand(['start', '--port', '0', '--data-dir', dataDir], environment)).code).toBe(1)
    await writeFile(file, next)
    await chmod(file, 0o644)
    server = await startServer(dataDir, environment)
    expect(server.log()).toContain('chmod 600')
    const { body, headers } = await delivered(server, type)
    new Webhook(secret).verify(body.toString(), headers as Record<string, string>)
    expect(await server.end('SIGTERM')).toBe(0)
    const offline = ['keys', 'rotate-master', '--data-dir', dataDir]
    expect((await runCommand(['keys', 'generate-master', '--prepend-to', file])).code).toBe(0)
    expect((await runCommand(offline, environment)).stdout).toMatch(/wrapped by the master key [0-9a-f]{16} now; [1-9]/)
  })
})

describe('Signing: ed25519, own header names, and schemes that an endpoint has left', () => {
  test('the published key verifies; names and schemes change with the next attempt', async () => {
    const server = await startServer(await newFolder())
    const type = newType()
    const settings = { signing: 'ed25519', header_prefix: 'acme' }
    const endpoint = await createEndpoint(server, receiver.url, type, settings)
    const published = await request<{ keys: JsonWebKey[] }>(server, 'GET', '/.well-known/runbell-keys.json', {
      key: null,
    })
    expect(published.headers.get('cache-control')).toMatch(/^public, max-age=\d+$/)
    const one = await delivered(server, type)
    const [key] = published.json.keys
    expect(key).toMatchObject({ kty: 'OKP', crv: 'Ed25519', use: 'sig', alg: 'EdDSA' })
    const [signature = ''] = signaturesOf(one)
    const bytes = Buffer.from(signature.replace('v1a,', ''), 'base64')
    expect(verify(null, signedBytes(one), createPublicKey({ key: key as JsonWebKey, format: 'jwk' }), bytes)).toBe(true)
    for (const name of ['id', 'timestamp', 'signature']) {
      expect(one.headers[`acme-${name}`]).toBe(one.headers[`webhook-${name}`])
    }

    const patched = await request<{ secret: string }>(server, 'PATCH', `/v1/endpoints/${endpoint.id}`, {
      body: { signing: 'hmac', header_prefix: null },
    })
    expect(patched.status).toBe(200)
    const two = await delivered(server, type)
    expect(signaturesOf(two).map((text) => text.split(',')[0])).toEqual(['v1'])
    expect(two.headers['acme-signature']).toBeUndefined()
    const headers = two.headers as Record<string, string>
    expect(await verifyWebhook({ body: two.body, headers, secrets: patched.json.secret })).toMatchObject({ ok: true })
    const { keys } = await get<{ keys: unknown[] }>(server, `/.well-known/runbell-keys.json?endpoint_id=${endpoint.id}`)
    expect(keys).toEqual([])
    expect(await server.end('SIGTERM')).toBe(0)
  })

  test.each(['Acme', 'a', 'webhook', 'runbell', 'content', 'x'.repeat(65), 'a b', 'acme-'])(
    'a prefix cannot be %j',
    async (prefix) => {
      const { headerPrefix } = await import('../../packages/server/src/api/endpoints/endpoint-input.ts')
      expect(headerPrefix.safeParse(prefix).success).toBe(false)
    },
  )
})
