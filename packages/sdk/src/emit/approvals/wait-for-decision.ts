import { readJson } from '../answer.ts'
import { isAborted, send } from '../http.ts'
import type { RunbellSettings } from '../options.ts'
import { MAX_DELAY_MS, retryDelay } from '../retry.ts'
import { readDecision, type ApprovalDecision, type WaitOptions } from './decision.ts'

/** How long one request asks the server to wait: below what proxies let a connection be idle, which is 60 seconds often. */
const POLL_SECONDS = 30
/** For so long "there is no such approval" can mean that its request is still on its way. */
const UNKNOWN_FOR_MS = 60_000

/** Asks until there is a decision or the wait is over. @throws EmitError where the server refuses to say */
export async function waitForDecision(
  approvalId: string,
  options: WaitOptions & { tenant_id?: string | undefined },
  settings: RunbellSettings,
): Promise<ApprovalDecision> {
  const { now, random } = settings
  const { timeoutMs = Infinity, signal } = options
  if (!(timeoutMs >= 0)) throw new TypeError('timeoutMs is 0 or more')
  const startedAt = now()
  const pending: ApprovalDecision = { approval_id: approvalId, status: 'pending', approved: false }
  for (let failures = 0; ;) {
    if (isAborted(signal)) return pending
    const left = timeoutMs - (now() - startedAt)
    const seconds = Math.max(0, Math.min(POLL_SECONDS, Math.ceil(left / 1000)))
    const askedAt = now()
    const answer = await ask(approvalId, seconds, options, settings)
    if (isAborted(signal)) return pending
    const decision = 'error' in answer ? null : readDecision(approvalId, answer.value)
    if (decision !== null && decision.status !== 'pending') return decision
    if (now() - startedAt >= timeoutMs) return pending
    if (decision !== null) {
      failures = 0
      // A server that answers at once, where it was asked to wait, must not be asked in a loop.
      if (now() - askedAt < 1000) await settings.sleep(1000, signal)
      continue
    }
    const retryAfter = 'error' in answer ? answer.retryAfter : null
    if ('error' in answer && !answer.error.retryable) {
      const mayCome = answer.error.code === 'not_found' && now() - startedAt < UNKNOWN_FOR_MS
      if (!mayCome) throw answer.error
    }
    const delay = retryDelay(failures++, retryAfter, random(), now()) ?? MAX_DELAY_MS
    await settings.sleep(Math.min(delay, Math.max(0, timeoutMs - (now() - startedAt))), signal)
  }
}

async function ask(
  approvalId: string,
  seconds: number,
  { signal, tenant_id: tenantId }: WaitOptions & { tenant_id?: string | undefined },
  { apiUrl, key, timeoutMs, fetch }: RunbellSettings,
): Promise<ReturnType<typeof readJson>> {
  const query = new URLSearchParams({ timeout: String(seconds) })
  if (tenantId !== undefined) query.set('tenant_id', tenantId)
  const url = `${apiUrl}/approvals/${encodeURIComponent(approvalId)}/wait?${query.toString()}`
  return readJson(await send({ url, key, body: null, timeoutMs: timeoutMs + seconds * 1000, signal }, fetch))
}
