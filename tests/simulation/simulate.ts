import { MemoryStore } from '../../packages/server/src/store/memory/memory-store.ts'
import { Endpoints } from './endpoints.ts'
import type { FaultRates } from './fault-rates.ts'
import { findViolations } from './invariants.ts'
import { Network, type SentRequest } from './network.ts'
import { LEASE_MS, SimulatedNode } from './node.ts'
import type { Store } from '../../packages/server/src/store/store.ts'
import { observe, type StoreClass } from './observed-store.ts'
import { Publishers } from './publishers.ts'
import { SeededRandom } from './seeded-random.ts'
import { World } from './world.ts'

export interface SimulationOptions {
  seed: number
  /** The store, or one with a bug planted in it. */
  Store?: StoreClass
  /** A bug between one node and the store: it dies with the node. */
  wrap?(store: Store, node: SimulatedNode): Store
  /** A bug: the store measures leases by a clock that jumps. */
  leaseByWallClock?: boolean
}

export interface SimulationResult {
  violations: string[]
  events: number
  requests: number
  kills: number
  quarantined: number
  steps: number
}

/** Where a plan may kill a node, besides any moment at all: the crash points of the guarantees. */
const POINTS = [
  'request read',
  'between two commits',
  'before acceptEvents',
  'after acceptEvents',
  'committed, answer not sent',
  'after claimDue',
  'after claimSuspect',
  'bytes partly sent',
  'answered, not recorded',
  'before recordAttempts',
  'after recordAttempts',
  'after releaseClaims',
  'after rescueClaims',
]

const FAULTY_MS = 8000
/** An ordered endpoint that fails for ever is probed now and then, for one delivery of a run after the other. */
const SETTLE_MS = 4 * 3_600_000
/** The first attempt may start this long after the check of the deadline. */
const DEADLINE_SLACK_MS = 30

/** Runs one simulation to its end and says what did not hold. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const random = new SeededRandom(options.seed)
  const world = new World(random)
  const ObservedStore = observe(options.Store ?? MemoryStore)
  const leaseClock = () => world.time + (options.leaseByWallClock === true ? cluster.wallOffset : 0)
  const store = new ObservedStore({ clock: leaseClock })
  const network = new Network(world, drawRates(random))
  const violations: string[] = []
  const keepPayloadsMs = random.chance(0.3) ? random.between(50, 2000) : null
  const cluster: Cluster = new Cluster({ world, network, store, wrap: options.wrap, keepPayloadsMs })
  const endpoints = new Endpoints(world, store, () => cluster.alive())
  watch(network, world, endpoints, store, violations)
  for (let count = random.between(2, 5); count > 0; count--) {
    const id = await endpoints.create()
    if (random.chance(0.25)) network.broken.add(`https://${id}.example/`)
  }
  const publishers = new Publishers({
    world,
    events: random.between(10, 40),
    pickNode: () => cluster.pick(),
    poison: (eventId) => network.poison.add(eventId),
    poisonShare: random.chance(0.15) ? 0.05 : 0,
  })
  const nodes = random.between(1, 2)
  store.exclusive = nodes === 1 && random.chance(0.6)
  cluster.begin(nodes)
  publishers.start()
  for (let change = random.between(0, 6); change > 0; change--) {
    world.after(random.between(0, FAULTY_MS), () => void endpoints.change())
  }
  await world.runUntil(FAULTY_MS)
  network.calm()
  cluster.calm()
  await endpoints.resumeAll()
  const done = () => publishers.finished && store.openCount() === 0
  await world.runUntil(FAULTY_MS + SETTLE_MS, done)
  const { acknowledgements } = publishers
  const mayBeUnknown = (nodeId: string) => cluster.stoodStill(nodeId)
  const found = findViolations({ store, network, endpoints, acknowledgements, violations, mayBeUnknown })
  const { deliveries, events } = store.snapshot()
  return {
    violations: found,
    events: events.length,
    requests: network.sent.length,
    kills: cluster.kills,
    quarantined: deliveries.filter(({ reason }) => reason === 'quarantined').length,
    steps: world.steps,
  }
}

function drawRates(random: SeededRandom): FaultRates {
  const rate = (share: number, most: number) => (random.chance(share) ? random.fraction() * most : 0)
  return {
    storeBefore: rate(0.4, 0.1),
    storeAfter: rate(0.4, 0.1),
    connectFailed: rate(0.5, 0.3),
    answerLost: rate(0.4, 0.2),
    receiverFails: rate(0.7, 0.5),
    ownFault: rate(0.3, 0.2),
  }
}

/** What has to hold at the moment a request leaves. */
function watch(
  network: Network,
  world: World,
  endpoints: Endpoints,
  store: InstanceType<ReturnType<typeof observe>>,
  violations: string[],
): void {
  network.onSent = (request: SentRequest) => {
    if (!store.hasAttempt(request.deliveryId, request.number)) {
      violations.push(`G8: attempt ${request.number} of ${request.deliveryId} left without being on record`)
    }
    const deadline = store.deadlineOf(request.deliveryId)
    const now = 1_795_000_000_000 + world.time
    if (deadline !== null && now > deadline + DEADLINE_SLACK_MS && !network.frozenSince(request.nodeId, world.time)) {
      violations.push(`G6: ${request.deliveryId} was sent after its deadline`)
    }
    const limit = [...endpoints.subscribers.values()].find(({ url }) => url === request.url)?.maxInFlight ?? 0
    if (network.inFlight(request.nodeId, request.url) > limit) {
      violations.push(`G18: more than ${limit} requests at once to ${request.url}`)
    }
  }
}

interface ClusterOptions {
  world: World
  network: Network
  store: Store
  wrap: SimulationOptions['wrap']
  keepPayloadsMs: number | null
}

/** The processes, and whoever starts them again when they die. */
class Cluster {
  kills = 0
  readonly #options: ClusterOptions
  readonly #all = new Map<string, SimulatedNode>()
  readonly #slots: (SimulatedNode | null)[] = []
  #started = 0
  #calm = false
  /** How far the machine's wall clock is off. */
  wallOffset = 0
  #plan: { point: string; nth: number } | null = null

  constructor(options: ClusterOptions) {
    this.#options = options
  }

  /** Whether a node died, or stood still for longer than its lease: only then may its attempts be `unknown`. */
  stoodStill(nodeId: string): boolean {
    const node = this.#all.get(nodeId)
    return node === undefined || !node.alive || node.longestFreeze > LEASE_MS / 2
  }

  alive(): SimulatedNode[] {
    return this.#slots.filter((node) => node !== null && node.alive) as SimulatedNode[]
  }

  pick(): SimulatedNode | null {
    const alive = this.alive()
    return alive.length === 0 ? null : this.#options.world.random.pick(alive)
  }

  begin(count: number): void {
    const { world } = this.#options
    const { random } = world
    for (let slot = 0; slot < count; slot++) this.#start(slot)
    this.#plan = random.chance(0.6) ? { point: random.pick(POINTS), nth: random.between(1, 12) } : null
    // Now and then the machine is so unlucky that nothing it starts lives long.
    for (let kill = random.chance(0.1) ? 40 : random.between(0, 3); kill > 0; kill--) {
      world.after(random.between(0, FAULTY_MS), () => this.pick()?.kill())
    }
    if (random.chance(0.3)) {
      world.after(random.between(0, FAULTY_MS), () => this.pick()?.freeze(random.between(100, 15_000)))
    }
    if (random.chance(0.3)) {
      const offset = random.pick([-864e5, 864e5, 315_360_000_000, -5000])
      world.after(random.between(0, FAULTY_MS), () => (this.wallOffset = offset))
    }
    this.#supervise()
  }

  /** No more kills, but for what content does. */
  calm(): void {
    this.#calm = true
    this.#plan = null
    for (const node of this.alive()) node.frozenUntil = 0
  }

  #start(slot: number): void {
    const { world, network, store, wrap, keepPayloadsMs } = this.#options
    const node = new SimulatedNode({
      ...{ world, network, store, wrap, keepPayloadsMs },
      id: `node-${++this.#started}`,
      wallOffset: () => this.wallOffset,
      onPoint: (at, point) => this.#passed(at, point),
    })
    this.#slots[slot] = node
    this.#all.set(node.id, node)
    // A start that fails is a process that ended.
    node.start().catch(() => node.kill())
  }

  #passed(node: SimulatedNode, point: string): void {
    if (this.#calm || this.#plan === null || this.#plan.point !== point) return
    if (--this.#plan.nth > 0) return
    this.#plan = null
    node.kill()
  }

  #supervise(): void {
    const { world } = this.#options
    world.after(world.random.between(50, 300), () => {
      this.#slots.forEach((node, slot) => {
        if (node?.alive !== false) return
        this.kills++
        this.#start(slot)
      })
      this.#supervise()
    })
  }
}
