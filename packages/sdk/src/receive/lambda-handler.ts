import { fromBase64 } from '../signing/base64.ts'
import { alreadyRead, type ReceiveAnswer } from './answer.ts'
import type { Receive } from './receive-input.ts'

/** What is needed of an event of API Gateway (REST, version 1, or HTTP, version 2) or of a function URL. */
export interface LambdaEvent {
  httpMethod?: string
  requestContext?: { http?: { method?: string } }
  headers?: Record<string, string | undefined> | null
  multiValueHeaders?: Record<string, string[] | undefined> | null
  body?: unknown
  isBase64Encoded?: boolean
}

export interface LambdaResult {
  statusCode: number
  headers: Record<string, string>
  body: string
  isBase64Encoded: false
}

const PROXY =
  'Let API Gateway hand on the request as it is: a Lambda proxy integration, without mapping templates; and pass event ' +
  'itself, not JSON.parse(event.body).'

export async function answerLambda(event: LambdaEvent, receive: Receive): Promise<LambdaResult> {
  const { status, headers, body } = await answer(event, receive)
  return { statusCode: status, headers, body: JSON.stringify(body), isBase64Encoded: false }
}

async function answer(event: LambdaEvent, receive: Receive): Promise<ReceiveAnswer> {
  const method = event.requestContext?.http?.method ?? event.httpMethod ?? 'POST'
  // Version 1 has each header in both; the one with all values tells of repeated ones.
  const headers = event.multiValueHeaders ?? event.headers ?? {}
  const { body } = event
  if (body === null || body === undefined) return receive({ method, headers, body: '' })
  if (typeof body !== 'string') return alreadyRead(PROXY)
  const bytes = event.isBase64Encoded === true ? fromBase64(body) : body
  return bytes === null ? alreadyRead(PROXY) : receive({ method, headers, body: bytes })
}
