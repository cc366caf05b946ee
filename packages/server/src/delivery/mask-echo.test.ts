import { describe, expect, test } from 'vitest'
import type { AttemptOutcome } from '../core/attempt-outcome.ts'
import { response } from '../../test/runner-world.ts'
import { echoesOf, maskEcho } from './mask-echo.ts'

type Response = Extract<AttemptOutcome, { kind: 'response' }>

function echo(body: string | Uint8Array, truncated = false, headers: Record<string, string> = {}) {
  const excerpt = typeof body === 'string' ? new TextEncoder().encode(body) : body
  const outcome = { ...(response(400, headers) as Response), excerpt, truncated }
  const masked = maskEcho(outcome, echoesOf(['Bearer canary-token', 'short', 'canary.two'])) as Response
  return { excerpt: Buffer.from(masked.excerpt ?? []), text: Buffer.from(masked.excerpt ?? []).toString(), masked }
}

describe('what a receiver answers', () => {
  test('loses the values of the headers it was sent, whole or without their scheme, in body and headers', () => {
    const { text, masked } = echo('{"authorization":"Bearer canary-token","n":"é canary-token canary.two"}', false, {
      'x-echo': 'was canary-token',
    })
    expect(text).toBe('{"authorization":"•••","n":"é ••• •••"}')
    expect(masked.headers).toEqual({ 'x-echo': 'was •••' })
  })

  test('cut off within a value, loses the beginning of it as well', () => {
    expect(echo('you sent canary-to', true).text).toBe('you sent •••')
    expect(echo('you sent canary-to', false).text).toBe('you sent canary-to')
    expect(echo('you sent cana', true).text).toBe('you sent cana')
  })

  test('stays as it is, byte for byte, where it holds none', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
    expect(echo(bytes).excerpt.equals(bytes)).toBe(true)
    expect(echo('a short answer').text).toBe('a short answer')
    const mixed = Buffer.concat([bytes, Buffer.from('canary.two'), bytes])
    const kept = Buffer.concat([bytes, Buffer.from('•••'), bytes])
    expect(echo(mixed).excerpt.equals(kept)).toBe(true)
  })
})
