import { Webhook } from 'standardwebhooks'

export const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
export const OTHER_SECRET = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'
/** 2026-11-23T18:02:15Z */
export const NOW = 1_795_456_935_000

export interface SignedRequest {
  headers: Record<string, string>
  body: string
}

/** A request signed by the reference library, not by this package. */
export function signedRequest(
  id: string,
  body: string,
  options: { secret?: string; now?: number } = {},
): SignedRequest {
  const { secret = SECRET, now = NOW } = options
  const signature = new Webhook(secret).sign(id, new Date(now), body)
  const timestamp = String(Math.floor(now / 1000))
  return { headers: { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature }, body }
}

/** A signed event of this type. */
export function signedEvent(
  type: string,
  options: { id?: string; data?: unknown; secret?: string; now?: number } = {},
): SignedRequest {
  const id = options.id ?? 'evt_test_receive_01'
  const event = {
    event_id: id,
    type,
    schema_version: 1,
    timestamp: '2026-11-23T18:02:10.120Z',
    recorded_at: '2026-11-23T18:02:10.188Z',
    mode: 'test',
    tenant_id: 'default',
    agent: { id: 'refund-agent' },
    data: options.data ?? {},
  }
  return signedRequest(id, JSON.stringify(event), options)
}
