import type { AttemptOutcome, AttemptRequest, FailureOutcome } from '../../packages/server/src/core/attempt-outcome.ts'
import { NO_FAULTS, type FaultRates } from './fault-rates.ts'
import type { World } from './world.ts'

/** One request whose first byte left. */
export interface SentRequest {
  at: number
  nodeId: string
  deliveryId: string
  eventId: string
  number: number
  url: string
  body: Uint8Array
  signature: string
  /** What the receiver answered; `null`: it never got all of it, or never answered. */
  status: number | null
  /** What the sender made of it. */
  outcome: AttemptOutcome['kind'] | 'cut_off'
}

const PHASES = { dns: null, connect: null, tls: null, wait: null }

/** Who sends, as far as the network is concerned. */
export interface Sender {
  readonly id: string
  /** Waits, if it lives to see the end of it. */
  pause(ms: number, point?: string): Promise<void>
  kill(): void
}

/** The way to the receivers, and what they answer. */
export class Network {
  readonly sent: SentRequest[] = []
  rates: FaultRates
  /** Endpoints that answer 5xx for ever, by URL. */
  readonly broken = new Set<string>()
  /** Events whose content brings the process down, by id. */
  readonly poison = new Set<string>()
  /** Told of each request before anything else happens to it. */
  onSent: (request: SentRequest) => void = () => {}
  readonly #world: World

  constructor(world: World, rates: FaultRates) {
    this.#world = world
    this.rates = rates
  }

  readonly #open = new Map<string, number>()
  readonly #freezes = new Map<string, number>()

  /** Requests a node has under way to a URL. */
  inFlight(nodeId: string, url: string): number {
    return this.#open.get(`${nodeId} ${url}`) ?? 0
  }

  /** Whether the node stood still within the last 20 s: then it may act on what it had checked before. */
  frozenSince(nodeId: string, now: number): boolean {
    return (this.#freezes.get(nodeId) ?? -Infinity) > now - 20_000
  }

  frozen(nodeId: string, now: number): void {
    this.#freezes.set(nodeId, now)
  }

  #count(sent: SentRequest, change: number): void {
    const key = `${sent.nodeId} ${sent.url}`
    this.#open.set(key, (this.#open.get(key) ?? 0) + change)
  }

  /** Faults end; broken receivers stay broken. */
  calm(): void {
    this.rates = NO_FAULTS
  }

  async send(node: Sender, request: AttemptRequest): Promise<AttemptOutcome> {
    const { random } = this.#world
    await node.pause(random.between(0, 3))
    if (random.chance(this.rates.ownFault)) return { kind: 'not_sent', fault: 'no_resources', detail: 'simulated' }
    const headers = Object.fromEntries(request.headers)
    const sent: SentRequest = {
      at: this.#world.time,
      nodeId: node.id,
      deliveryId: headers['runbell-delivery-id'] as string,
      eventId: headers['webhook-id'] as string,
      number: Number(headers['runbell-attempt']),
      url: request.url,
      body: request.body,
      signature: headers['webhook-signature'] as string,
      status: null,
      outcome: 'cut_off',
    }
    this.sent.push(sent)
    this.#count(sent, 1)
    this.onSent(sent)
    if (this.poison.has(sent.eventId)) {
      node.kill()
      return await new Promise<never>(() => {})
    }
    const outcome = await this.#receive(node, request, sent)
    sent.outcome = outcome.kind
    this.#count(sent, -1)
    return outcome
  }

  async #receive(node: Sender, request: AttemptRequest, sent: SentRequest): Promise<AttemptOutcome> {
    const { random } = this.#world
    const failed = (outcome: FailureOutcome['outcome'], ms: number): FailureOutcome => ({
      kind: 'failure',
      outcome,
      detail: 'simulated',
      phases: PHASES,
      durationMs: ms,
    })
    await node.pause(random.between(0, 5), 'bytes partly sent')
    if (random.chance(this.rates.connectFailed)) return failed('connect_failed', 5)
    sent.status = this.#answer(request.url)
    if (random.chance(this.rates.answerLost)) {
      await node.pause(request.timeoutMs)
      return failed('timeout', request.timeoutMs)
    }
    const slow = random.chance(0.1) ? random.between(50, request.timeoutMs - 1) : random.between(1, 20)
    await node.pause(slow, 'answered, not recorded')
    const retryAfter: Record<string, string> = random.chance(0.1) ? { 'retry-after': String(random.between(1, 3)) } : {}
    return {
      kind: 'response',
      status: sent.status,
      headers: sent.status >= 400 ? retryAfter : {},
      excerpt: new Uint8Array(),
      truncated: false,
      phases: PHASES,
      durationMs: slow,
    }
  }

  #answer(url: string): number {
    if (this.broken.has(url)) return 500
    if (!this.#world.random.chance(this.rates.receiverFails)) return this.#world.random.pick([200, 201, 204])
    return this.#world.random.pick([301, 400, 404, 429, 500, 503])
  }
}
