import { EventEmitter } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type { EndpointView, EventView, Page } from '@runbell/sdk/contract'
import { generateSecret, signedHeaders } from '@runbell/sdk/signing'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { parseChaos, type Fault } from './chaos.ts'
import { watchCatalog } from './dev-catalog.ts'
import { listenToKeys, type Keyboard } from './dev-keys.ts'
import { openInbox } from './inbox.ts'
import { createScreen } from './screen.ts'
import { invoice, FIRST, GROWN } from './catalog/testing/run-catalog.ts'
import { runCli, temporaryFolder } from './testing/cli-process.ts'
import { shareDevServer } from './testing/dev-server-here.ts'
import { captureOutput, runHere } from './testing/run-here.ts'
import { visiblePasswords } from './visible-passwords.ts'

captureOutput()
const here = shareDevServer()

describe('a database of production', () => {
  test('is not joined by runbell dev because a variable names it', async () => {
    vi.stubEnv('RUNBELL_DATABASE_URL', 'postgres://runbell:p4ss@db.example:5432/runbell')
    const { code, err } = await runHere('dev', '--data-dir', temporaryFolder())
    expect([code, err]).toEqual([
      2,
      'runbell: RUNBELL_DATABASE_URL names postgres://runbell@db.example:5432/runbell, and runbell dev would deliver for whoever ' +
        'uses that: unset it for the embedded database, or name a database for development with --database-url',
    ])
  })

  test('is taken from the flag, which shows its password, and that is said', async () => {
    const url = 'postgres://runbell:p4ss@127.0.0.1:1/runbell'
    const { exit, stderr } = runCli(['dev', '--data-dir', temporaryFolder(), '--database-url', url])
    expect(await exit).toBe(1)
    expect(stderr.all).toEqual([
      'runbell: other users of this machine can see the password in --database-url: give the URL in RUNBELL_DATABASE_URL instead',
      expect.stringMatching(/^runbell: no Postgres answers at 127\.0\.0\.1:1/),
    ])
    expect(stderr.all.join()).not.toContain('p4ss')
  })
})

test.each([
  [['start', '--database-url=postgres://u:p@h/d'], 1],
  [['migrate', '--from', 'x', '--to', 'postgres://h/d?password=p'], 1],
  [['start', '--egress-proxy', 'http://u:p@proxy:3128', '--database-url', 'postgres://u:p%q@h/d'], 2],
  [['start', '--database-url', 'postgres://u:p/w@h/d'], 1],
  [['start', '--database-url', 'postgres://u@h/d', '--egress-proxy', 'http://proxy:3128'], 0],
  [['start', '--database-url'], 0],
  [['trigger', '--set', '--to', '--', '--to', 'postgres://u:p@h/d'], 0],
])('passwords in %j are seen: %d', (args, count) => {
  expect(visiblePasswords(args)).toHaveLength(count)
})

describe('--chaos', () => {
  test('picks faults by their shares', () => {
    let drawn = 0
    const chaos = parseChaos('500:20%,timeout:5%, duplicate:10%,reorder:10%', () => drawn)
    const at = (value: number) => {
      drawn = value
      return chaos.next()
    }
    const status: Fault = { kind: 'status', status: 500 }
    expect([0, 0.199, 0.2, 0.249, 0.26, 0.36, 0.449, 0.45, 0.999].map(at)).toEqual([
      ...[status, status, { kind: 'timeout' }, { kind: 'timeout' }],
      ...[{ kind: 'duplicate' }, { kind: 'reorder' }, { kind: 'reorder' }, null, null],
    ])
  })

  test.each(['', '500', '500:20', 'often:5%', '99:5%', '600:1%', '500:101%', '500:60%,503:60%', '500:-1%', '500:5%,'])(
    'refuses %j',
    async (text) => {
      expect(() => parseChaos(text)).toThrow(/--chaos/)
      expect(await runHere('dev', '--chaos', text)).toMatchObject({
        code: 2,
        err: expect.stringMatching(/^[^\n]*--chaos[^\n]*$/),
      })
    },
  )

  test('an answer that is lost brings the event again, and a status is an answer', async () => {
    const faults: (Fault | null)[] = [{ kind: 'status', status: 503 }, { kind: 'duplicate' }, null]
    const inbox = await openInbox({ next: () => faults.shift() ?? null })
    onTestFinished(() => inbox.close())
    const secret = generateSecret()
    inbox.trust(secret)
    const send = async () => {
      const body = '{"event_id":"evt_test_00000001","type":"agent.run.started"}'
      const headers = await signedHeaders({
        id: 'evt_test_00000001',
        timestamp: Math.floor(Date.now() / 1000),
        body,
        secrets: [secret],
      })
      return await fetch(inbox.url, { method: 'POST', headers, body }).then(
        ({ status }) => status,
        () => 'lost',
      )
    }
    expect([await send(), await send(), await send()]).toEqual([503, 'lost', 200])
    expect(inbox.entries().map(({ duplicate }) => duplicate)).toEqual([false, true])
  })
})

describe('keys', () => {
  class FakeKeyboard extends EventEmitter implements Keyboard {
    raw = false
    paused = true
    resume = () => void (this.paused = false)
    pause = () => void (this.paused = true)
    setRawMode = (raw: boolean) => void (this.raw = raw)
    type = (text: string) => void this.emit('data', Buffer.from(text))
  }

  function listen() {
    const output = new PassThrough()
    const chunks: string[] = []
    output.on('data', (chunk) => chunks.push(String(chunk)))
    const keyboard = new FakeKeyboard()
    const stop = vi.fn()
    const open = vi.fn()
    const keys = listenToKeys(keyboard, createScreen(output), here.server, { stop, open })
    onTestFinished(() => keys.close())
    return { keyboard, keys, stop, open, text: () => chunks.join('') }
  }

  const events = async () => (await here.server.api.get<Page<EventView>>('/v1/events?limit=200')).data

  test('t publishes the next event of a run, and s the rest of it', async () => {
    const { keyboard, keys } = listen()
    const before = (await events()).length
    keyboard.type('tt')
    await keys.settled()
    expect((await events()).length - before).toBe(2)
    keyboard.type('s')
    await keys.settled()
    const told = (await events()).slice(0, -before || undefined)
    expect(told.map(({ type }) => type).toReversed()).toMatchObject({
      0: 'agent.run.started',
      8: 'agent.run.completed',
    })
    expect(new Set(told.map(({ run_id: id }) => id)).size).toBe(1)
  })

  test('f asks where to, and forwards there; what is wrong is said, and Escape leaves it', async () => {
    const { keyboard, keys, text } = listen()
    keyboard.type('f')
    keyboard.type('39991x\u007f')
    keyboard.type('\r')
    await keys.settled()
    expect(text()).toMatch(/Every event goes to http:\/\/127\.0\.0\.1:39991\/ now, signed with whsec_/)
    const { data } = await here.server.api.get<Page<EndpointView>>('/v1/endpoints')
    const made = data.find(({ url }) => url === 'http://127.0.0.1:39991/')
    expect(made?.event_types).toEqual(['*'])
    await here.server.api.delete(`/v1/endpoints/${made?.id}`)
    keyboard.type('fnowhere\r')
    await keys.settled()
    expect(text()).toMatch(/"nowhere" is neither a port nor a URL/)
    keyboard.type('f39991')
    keyboard.type('\u001b')
    keyboard.type('?')
    expect(text()).toMatch(/t {2}publish the next event/)
  })

  test('o opens the server, q and Ctrl-C stop it, and the terminal is given back', () => {
    const { keyboard, keys, stop, open } = listen()
    expect([keyboard.raw, keyboard.paused]).toEqual([true, false])
    keyboard.type('o')
    expect(open).toHaveBeenCalledWith(here.server.runbell.url)
    keyboard.type('q')
    keyboard.type('\u0003')
    expect(stop).toHaveBeenCalledTimes(2)
    keys.close()
    keyboard.type('q')
    expect([keyboard.raw, keyboard.paused, stop.mock.calls.length]).toEqual([false, true, 2])
  })
})

test('a catalog file is registered, again when it changes, and types follow; what is wrong is said once', async () => {
  const folder = temporaryFolder()
  const file = join(folder, 'runbell.catalog.json')
  const types = join(folder, 'own-events.ts')
  const said: string[] = []
  const heard = new EventEmitter()
  const say = (line: string) => {
    said.push(line)
    heard.emit('line')
  }
  const until = async (pattern: RegExp) => {
    while (!said.some((line) => pattern.test(line))) await new Promise((resolve) => heard.once('line', resolve))
  }
  writeFileSync(file, JSON.stringify(invoice(FIRST)))
  const watch = await watchCatalog(here.server.api, { types, file, everyMs: 10, say })
  onTestFinished(() => watch.close())
  expect(said).toEqual(['catalog: acme.invoice.drafted, version 1, created', `${types}: 1 event types of your own`])
  expect(readFileSync(types, 'utf8')).toMatch(/'acme\.invoice\.drafted'/)
  writeFileSync(file, '{')
  await until(/^runbell: .*runbell\.catalog\.json/)
  said.length = 0
  writeFileSync(file, JSON.stringify(invoice(GROWN)))
  await until(/^catalog: .*changed/)
  await until(/own-events\.ts: 1 event types/)
  expect(readFileSync(types, 'utf8')).toMatch(/note\?/)
})
