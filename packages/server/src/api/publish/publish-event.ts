import { jsonAnswer, type Answer } from '../http/answer.ts'
import { invalid, problemAnswer } from '../http/problem.ts'
import type { PublishCall } from './publish-call.ts'
import { rateHeaders, retryAfter } from './rate-headers.ts'
import { acceptItem, checkItemAfresh, type Published } from './publish-item.ts'

/** 1 to 255 printable ASCII characters. */
const IDEMPOTENCY_KEY = /^[\x20-\x7e]{1,255}$/

/** `POST /v1/events`: one event, answered after the commit (guarantee G1). */
export async function publishEvent(call: PublishCall): Promise<Answer> {
  const { context, requestId, bytes } = call
  const idempotencyKey = call.header('idempotency-key')
  if (idempotencyKey !== null && !IDEMPOTENCY_KEY.test(idempotencyKey)) {
    const message = 'an Idempotency-Key has 1 to 255 printable ASCII characters'
    throw invalid([{ path: '/headers/idempotency-key', message }])
  }
  const item = await checkItemAfresh(call, bytes, idempotencyKey)
  const published: Published = item.ok ? await acceptItem(context, item, requestId) : item
  const rate = item.ok ? rateHeaders(context.acceptor.rateOf(item.event)) : {}
  if (published.ok) return jsonAnswer(202, published.accepted, rate)
  const { refusal, retryAfterMs } = published
  const headers = { ...rate, ...(retryAfterMs === undefined ? {} : retryAfter(retryAfterMs)) }
  return problemAnswer(refusal, requestId, headers)
}
