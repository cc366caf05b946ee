import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { startFullBacklog } from '../../test/hostile-receivers/full-backlog.ts'
import { dial, MAX_ADDRESSES_DIALLED, type DialError, type VettedAddress } from './dial.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

const v4 = (address: string): VettedAddress => ({ address, family: 4 })
/** A timer that fires at once: the next address does not wait for the first. */
const atOnce = (_ms: number, run: () => void): (() => void) => {
  const timer = setImmediate(run)
  return () => clearImmediate(timer)
}
const never = (): (() => void) => () => {}

interface Dialled {
  result: Promise<{ socket: Socket | null; errors: readonly DialError[] }>
  cancel: () => void
  calls: () => number
}

function start(addresses: readonly VettedAddress[], port: number, after = never as typeof atOnce): Dialled {
  let calls = 0
  let cancel = (): void => {}
  const result = new Promise<{ socket: Socket | null; errors: readonly DialError[] }>((resolve) => {
    cancel = dial(addresses, port, after, (socket, errors) => {
      calls += 1
      if (socket !== null) ends.push(() => socket.destroy())
      resolve({ socket, errors })
    })
  })
  ends.push(cancel)
  return { result, cancel, calls: () => calls }
}

async function listen(host: string, port: number): Promise<number> {
  const server: Server = createServer((socket) => {
    ends.push(() => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(port, host, resolve))
  ends.push(() => server.close())
  return (server.address() as { port: number }).port
}

test('the first address that answers wins, after those before it failed', async () => {
  const port = await listen('127.0.0.2', 0)
  const { socket, errors } = await start([v4('127.0.0.1'), v4('127.0.0.2'), v4('127.0.0.3')], port).result
  expect(socket?.remoteAddress).toBe('127.0.0.2')
  expect(errors.map(({ address, error }) => [address, error.code])).toEqual([['127.0.0.1', 'ECONNREFUSED']])
})

test('when none answers, every error is there, of at most 8 addresses', async () => {
  const port = await listen('127.0.0.2', 0)
  const addresses = Array.from({ length: 20 }, (_, i) => v4(`127.0.0.${i + 3}`))
  const dialled = start(addresses, port)
  const { socket, errors } = await dialled.result
  expect(socket).toBe(null)
  expect(errors).toHaveLength(MAX_ADDRESSES_DIALLED)
  expect(dialled.calls()).toBe(1)
})

describe.runIf(process.platform === 'linux')('beside an address that hangs', () => {
  test('the next one is tried, and the one that hangs is given up', async () => {
    const backlog = await startFullBacklog()
    ends.push(() => backlog.close())
    await listen('127.0.0.2', backlog.port)
    const before = connecting()
    const { socket } = await start([v4('127.0.0.1'), v4('127.0.0.2')], backlog.port, atOnce).result
    expect(socket?.remoteAddress).toBe('127.0.0.2')
    for (let turn = 0; turn < 20 && connecting() > before; turn++) await new Promise((go) => setImmediate(go))
    expect(connecting()).toBe(before)
  })

  test('another that fails is not the end, and nothing is called back after a cancel', async () => {
    const backlog = await startFullBacklog()
    ends.push(() => backlog.close())
    const dialled = start([v4('127.0.0.1'), v4('127.0.0.3')], backlog.port, atOnce)
    for (let turn = 0; turn < 50; turn++) await new Promise((go) => setImmediate(go))
    expect(dialled.calls()).toBe(0)
    dialled.cancel()
    for (let turn = 0; turn < 20; turn++) await new Promise((go) => setImmediate(go))
    expect(dialled.calls()).toBe(0)
  })
})

function connecting(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPConnectWrap').length
}
