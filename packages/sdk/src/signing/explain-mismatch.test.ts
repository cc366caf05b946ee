import { describe, expect, it, vi } from 'vitest'
import { NOW, OTHER_SECRET, SECRET, signedRequest } from '../../test/signed-request.ts'
import { MAX_EXPLAINED_BYTES } from './body-changes.ts'
import { verifyWebhook } from './index.ts'
import { BODY_CHANGES, type BodyChange } from './verification.ts'

const now = () => NOW

async function causeOf(signed: string, received: string | Uint8Array, secrets = SECRET) {
  const { headers } = signedRequest('evt_01KAXW2M7Q', signed)
  const result = await verifyWebhook({ headers, body: received, secrets, now })
  expect(result).toMatchObject({ ok: false, reason: 'wrong_signature' })
  return result.ok ? undefined : result.likelyCause
}

const CASES: [change: BodyChange, signed: string, received: string | Uint8Array][] = [
  ['bom_added', '{"a":1}', '\ufeff{"a":1}'],
  ['bom_removed', '\ufeff{"a":1}', '{"a":1}'],
  ['final_newline_added', '{"a":1}', '{"a":1}\n'],
  ['final_newline_added', '{"a":1}', '{"a":1}\r\n'],
  ['final_newline_removed', '{"a":1}\n', '{"a":1}'],
  ['lf_became_crlf', '{\n"a":\n1}', '{\r\n"a":\r\n1}'],
  ['lf_became_crlf', '\ufeff{\n}', '\ufeff{\r\n}'],
  ['crlf_became_lf', '{\r\n"a":\r\n1}', '{\n"a":\n1}'],
  ['utf8_read_as_latin1', '{"a":"é–"}', Buffer.from(Buffer.from('{"a":"é–"}').toString('latin1'))],
  ['utf8_sent_as_latin1', '{"a":"é"}', Buffer.from('{"a":"é"}', 'latin1')],
  ['json_reformatted', '{"a":[1,2],"b":"é"}', '{ "a": [1, 2], "b": "\\u00e9" }'],
]

describe('a wrong signature', () => {
  it.each(CASES)('is explained: %s', async (change, signed, received) => {
    expect(await causeOf(signed, received)).toBe(change)
  })

  it('has a case here for every explanation there is', () => {
    expect(new Set(CASES.map(([change]) => change))).toEqual(new Set(BODY_CHANGES))
  })

  it.each(CASES)('is not explained away with another secret: %s', async (_change, signed, received) => {
    expect(await causeOf(signed, received, OTHER_SECRET)).toBeUndefined()
  })

  it('is not explained where the text was changed', async () => {
    expect(await causeOf('{"a":1}', '{"a":2}')).toBeUndefined()
    expect(await causeOf('{"a":1}', '')).toBeUndefined()
  })

  it('costs little for a body that is too long to explain', async () => {
    const long = `"${'x'.repeat(MAX_EXPLAINED_BYTES)}"`
    const sign = vi.spyOn(crypto.subtle, 'sign')
    expect(await causeOf(long, `${long}\n`)).toBeUndefined()
    expect(sign).toHaveBeenCalledTimes(1)
    sign.mockRestore()
  })
})
