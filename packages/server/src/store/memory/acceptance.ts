import { createHash } from 'node:crypto'
import type { Warning } from '@runbell/sdk/contract'
import { NEW_RUN, type LifecycleFact } from '../../core/catalog/lifecycle-fact.ts'
import { followLifecycle } from '../../core/catalog/lifecycle.ts'
import { followProgress, NO_PROGRESS } from '../../core/runs/run-progress.ts'
import type { AcceptBatch, AcceptItem, AcceptResult } from '../accept.ts'
import { approvalStep } from '../approvals.ts'
import { classesAt, completeBody, completePrepared } from '../body.ts'
import { MemoryNodes } from './nodes.ts'
import type { DeliveryState, EventState, NodeLife, RunRecord } from './state.ts'

/** An event's place in its run. */
type RunStep =
  | { kind: 'taken'; sequence: number | null; warnings: Warning[] }
  | Extract<AcceptResult, { kind: 'refused' }>
type Taken = Extract<RunStep, { kind: 'taken' }>

/** Acceptance: the idempotency check, the check of the config version, and the inserts, all in one step. */
export class MemoryAcceptance extends MemoryNodes {
  acceptEvents(batch: AcceptBatch): Promise<AcceptResult[]> {
    return this.verb('acceptEvents', batch, ({ nodeId, recordedAt, runEventBudget, items }) =>
      items.map((item) => this.acceptOne(item, recordedAt, nodeId, runEventBudget)),
    )
  }

  protected acceptOne(item: AcceptItem, recordedAt: number, nodeId: string, budget: number): AcceptResult {
    const earlier = this.findEarlier(item)
    if (earlier !== null) {
      const again = this.answerAgain(earlier, item)
      if (again.kind === 'duplicate') this.markAnnounced(item)
      this.removeNotice(item)
      return again
    }
    if (this.isStale(item)) return { kind: 'stale', configVersion: this.configVersion }
    const step = this.stepRun(item, budget, recordedAt)
    if (step.kind === 'refused') return step
    this.markAnnounced(item)
    this.removeNotice(item)
    for (const entry of item.audit ?? []) this.putOnRecord(entry)
    return this.insert(item, step, recordedAt, nodeId)
  }

  /** Lifecycle, budget, and the next `sequence`; nothing changes where it is refused. */
  protected stepRun(item: AcceptItem, budget: number, recordedAt: number): RunStep {
    if (item.runId === null) return { kind: 'taken', sequence: null, warnings: [] }
    const { runs } = this.partition(item.tenantId, item.mode)
    const run = runs.get(item.runId) ?? this.newRun(item, recordedAt)
    const fact = item.lifecycle
    const childKey = fact?.child == null ? null : `${fact.child.kind} ${fact.child.id}`
    const child = childKey === null ? null : (run.children.get(childKey) ?? null)
    const step = fact === null ? null : followLifecycle(run.state, child, fact)
    if (step?.kind === 'refused') return step
    if (run.sequence + 1 > budget && fact?.byService !== true) {
      const message = `the run has had ${budget} events, which is its budget`
      return { kind: 'refused', code: 'run_event_budget_exceeded', message }
    }
    run.sequence += 1
    const place = { sequence: run.sequence, recordedAt }
    const after = step?.run ?? run.state
    run.progress = followProgress(run.progress, fact, { before: run.state, after, place })
    run.state = after
    run.taskId ??= item.taskId
    run.updatedAt = recordedAt
    if (step !== null && step.warnings.length > 0) run.lifecycleWarnings += 1
    if (childKey !== null && fact !== null && step !== null && step.child !== null) {
      run.children.set(childKey, step.child)
      this.keepApproval(run, fact, place)
    }
    runs.set(item.runId, run)
    const warnings = (step?.warnings ?? []).map((message): Warning => ({ code: 'lifecycle', path: '/type', message }))
    return { kind: 'taken', sequence: run.sequence, warnings }
  }

  private keepApproval(run: RunRecord, fact: LifecycleFact, place: { sequence: number; recordedAt: number }): void {
    const step = approvalStep(fact)
    if (step === null) return
    const { id, status, decideBy, byService: endedHere } = step
    const none = { decideBy: null, requestedAt: null, endedBy: null, endedAt: null, endedHere: false }
    const { sequence, recordedAt } = place
    const before = run.approvals.get(id) ?? { position: this.nextPosition(), createdAt: recordedAt, ...none }
    const said =
      status === 'pending' ? { decideBy, requestedAt: sequence } : { endedBy: sequence, endedAt: recordedAt, endedHere }
    run.approvals.set(id, { ...before, ...said, status })
  }

  private newRun({ agent, taskId }: AcceptItem, now: number): RunRecord {
    const position = this.nextPosition()
    const counts = { sequence: 0, lifecycleWarnings: 0 }
    const about = { agentId: agent.id, taskId, createdAt: now, updatedAt: now }
    return {
      position,
      ...counts,
      ...about,
      state: NEW_RUN,
      progress: NO_PROGRESS,
      children: new Map(),
      approvals: new Map(),
    }
  }

  /** One that was replayed meanwhile goes on being watched: its next end is another. */
  private markAnnounced({ announces }: AcceptItem): void {
    const delivery = announces === null ? undefined : this.deliveries.get(announces.position)
    if (delivery === undefined || delivery.replays !== announces?.replays) return
    if (delivery.watch === 'yes' && delivery.status !== 'pending') delivery.watch = 'announced'
  }

  private removeNotice({ tells }: AcceptItem): void {
    if (tells !== undefined) this.notices.delete(tells)
  }

  /** The event that has taken this idempotency key or this id. */
  protected findEarlier(item: AcceptItem): EventState | null {
    const { events, idempotencyKeys } = this.partition(item.tenantId, item.mode)
    const byKey = item.idempotencyKey === null ? undefined : idempotencyKeys.get(item.idempotencyKey)
    return byKey ?? events.get(item.eventId) ?? null
  }

  /** Whether it is the same request again. */
  protected sameBytes(earlier: EventState, item: AcceptItem): boolean {
    return Buffer.compare(earlier.fingerprint, item.fingerprint) === 0
  }

  /** Whether endpoints have changed since the item was matched with them. */
  protected isStale(item: AcceptItem): boolean {
    return item.configVersion !== this.configVersion
  }

  protected answerAgain(earlier: EventState, item: AcceptItem): AcceptResult {
    const { eventId, sequence, recordedAt } = earlier
    if (!this.sameBytes(earlier, item)) return { kind: 'conflict', eventId }
    const { warnings, deliveriesAtAcceptance: deliveries } = earlier
    return { kind: 'duplicate', eventId, sequence, recordedAt, deliveries, warnings }
  }

  protected insert(item: AcceptItem, step: Taken, recordedAt: number, nodeId: string): AcceptResult {
    const event = this.insertEvent(item, step, recordedAt)
    const deliveries = this.insertDeliveries(event, item, nodeId)
    const { position, sequence, bodySha256, warnings } = event
    const deliveryPositions = deliveries.map((delivery) => delivery.position)
    return { kind: 'accepted', position, sequence, recordedAt, bodySha256, deliveryPositions, warnings }
  }

  protected insertEvent(item: AcceptItem, { sequence, warnings }: Taken, recordedAt: number): EventState {
    const { tenantId, mode, eventId, type, runId, deadline, fingerprint } = item
    const partition = this.partition(tenantId, mode)
    const body = completeBody(item, recordedAt, sequence)
    const event: EventState = {
      position: this.nextPosition(),
      tenantId,
      mode,
      eventId,
      type,
      runId,
      sequence,
      recordedAt,
      deadline,
      fingerprint,
      schemaVersion: item.schemaVersion,
      classes: item.classes,
      payloadGone: null,
      warnings,
      body,
      bodySha256: new Uint8Array(createHash('sha256').update(body).digest()),
      deliveriesAtAcceptance: item.targets.length,
      deliveries: [],
    }
    partition.events.set(eventId, event)
    if (item.idempotencyKey !== null) partition.idempotencyKeys.set(item.idempotencyKey, event)
    this.events.set(event.position, event)
    return event
  }

  protected insertDeliveries(event: EventState, item: AcceptItem, nodeId: string): DeliveryState[] {
    const bodies = item.bodies.map((body) => completePrepared(body, event.recordedAt, event.sequence))
    return item.targets.map(({ deliveryId, endpointId, grant, body }) => {
      const delivery = this.insertDelivery(event, { id: deliveryId, endpointId, now: event.recordedAt })
      delivery.body = bodies[body] ?? null
      delivery.classes = classesAt(item, body)
      if (grant) this.startAttempt(delivery, this.lifeOf(nodeId), event.recordedAt)
      return delivery
    })
  }

  protected insertDelivery(event: EventState, input: { id: string; endpointId: string; now: number }): DeliveryState {
    const delivery: DeliveryState = {
      position: this.nextPosition(),
      id: input.id,
      event,
      endpointId: input.endpointId,
      body: null,
      classes: event.classes,
      watch: event.type === 'agent.approval.requested' ? 'yes' : 'no',
      status: 'pending',
      reason: null,
      attemptCount: 0,
      dueAt: input.now,
      lane: null,
      waitsForTurn: false,
      cycleStart: 1,
      replays: 0,
      nextTrigger: 'scheduled',
      holder: null,
      suspect: false,
      crashesAlone: 0,
      createdAt: input.now,
      updatedAt: input.now,
      discardedAt: null,
      erasedSha256: null,
      prunedOutcome: null,
      note: null,
      attempts: [],
    }
    if (this.isPulled(delivery)) delivery.dueAt = delivery.position
    event.deliveries.push(delivery)
    this.deliveries.set(delivery.position, delivery)
    this.deliveriesById.set(delivery.id, delivery)
    this.index(delivery)
    this.enterLane(delivery)
    return delivery
  }

  /** Puts an attempt on record as started; nobody may send before this is committed (guarantee G8). */
  protected startAttempt(delivery: DeliveryState, holder: NodeLife, now: number): void {
    delivery.attemptCount = this.countAttempt(delivery)
    delivery.dueAt = null
    delivery.holder = holder
    delivery.updatedAt = now
    delivery.attempts.push({
      nodeId: holder.nodeId,
      number: delivery.attemptCount,
      trigger: delivery.nextTrigger,
      startedAt: now,
      durationMs: null,
      outcome: null,
      statusCode: null,
      requestHeaders: [],
      responseHeaders: {},
      excerpt: null,
      truncated: false,
      phases: { dns: null, connect: null, tls: null, wait: null },
    })
    delivery.nextTrigger = 'scheduled'
    this.index(delivery)
  }

  /** The number of the attempt that starts now. */
  protected countAttempt(delivery: DeliveryState): number {
    return delivery.attemptCount + 1
  }
}
