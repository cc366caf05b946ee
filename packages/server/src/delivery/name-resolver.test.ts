import { expect, test } from 'vitest'
import { NameResolver, RESOLVER_DOWN_WINDOW_MS, type Lookup } from './name-resolver.ts'
import type { ConnectFailure, FailureVerdict } from './transport-failure.ts'

/** A resolver whose answers are error codes, or `ok`, given by name. */
function make(answers: Record<string, string>) {
  let now = 0
  const lookup: Lookup = (hostname, callback) => {
    const code = answers[hostname] ?? 'ENOTFOUND'
    if (code === 'ok') callback(null, [{ address: '192.0.2.1', family: 4 }])
    else callback(Object.assign(new Error(code), { code }), [])
  }
  const resolver = new NameResolver(lookup, () => now)
  return {
    verdict(hostname: string): FailureVerdict | null {
      let result: ConnectFailure | null = null
      resolver.resolve(hostname, (failure) => (result = failure))
      return (result as ConnectFailure | null)?.verdict ?? null
    },
    wait: (ms: number) => (now += ms),
  }
}

const failed = { outcome: 'dns_failed' }
const down = { fault: 'no_resolver' }

test('EAI_AGAIN of one name again and again is the fault of that name', () => {
  const { verdict } = make({ a: 'EAI_AGAIN' })
  for (let i = 0; i < 5; i++) expect(verdict('a')).toEqual(failed)
})

test('EAI_AGAIN of two names within 10 s means that the resolver is down', () => {
  const { verdict, wait } = make({ a: 'EAI_AGAIN', b: 'EAI_AGAIN', c: 'EAI_AGAIN' })
  expect(verdict('a')).toEqual(failed)
  wait(RESOLVER_DOWN_WINDOW_MS)
  expect(verdict('b')).toEqual(down)
  expect(verdict('c')).toEqual(down)
  expect(verdict('a')).toEqual(down)
  wait(RESOLVER_DOWN_WINDOW_MS + 1)
  expect(verdict('a')).toEqual(failed)
})

test.each(['ok', 'ENOTFOUND'])('an answer in between (%s) proves that the resolver is there', (answer) => {
  const { verdict } = make({ a: 'EAI_AGAIN', b: 'EAI_AGAIN', fine: answer })
  verdict('a')
  verdict('fine')
  expect(verdict('b')).toEqual(failed)
})

test('localhost proves nothing, it comes from a file', () => {
  const { verdict } = make({ a: 'EAI_AGAIN', b: 'EAI_AGAIN', localhost: 'ok' })
  verdict('a')
  expect(verdict('localhost')).toBe(null)
  expect(verdict('b')).toEqual(down)
})

test('want of memory or descriptors is our own fault, an unknown name is not', () => {
  const { verdict } = make({ a: 'EAI_MEMORY', b: 'EMFILE' })
  expect(verdict('a')).toEqual({ fault: 'no_resources' })
  expect(verdict('b')).toEqual({ fault: 'no_resources' })
  expect(verdict('c')).toEqual(failed)
})

test('one name is looked up once at a time, for all who wait and have not given up', () => {
  const pending: (() => void)[] = []
  const resolver = new NameResolver(
    (_hostname, callback) => {
      pending.push(() => callback(null, [{ address: '192.0.2.1', family: 4 }]))
    },
    () => 0,
  )
  const answered: number[] = []
  const cancels = [1, 2, 3].map((who) => resolver.resolve('a', () => answered.push(who)))
  expect(pending).toHaveLength(1)
  cancels[1]?.()
  pending[0]?.()
  pending[0]?.()
  expect(answered).toEqual([1, 3])
  resolver.resolve('a', () => answered.push(4))
  expect(pending).toHaveLength(2)
})

test('a lookup that throws or finds no address is a failed lookup', () => {
  const verdicts: unknown[] = []
  const note = (failure: ConnectFailure | null): void => void verdicts.push(failure?.verdict)
  new NameResolver(
    () => {
      throw new Error('broken')
    },
    () => 0,
  ).resolve('a', note)
  new NameResolver(
    (_hostname, callback) => callback(null, []),
    () => 0,
  ).resolve('a', note)
  expect(verdicts).toEqual([failed, failed])
})
