import type { NodeState, Store } from '../store.ts'
import { MemoryState, type NodeLife } from './state.ts'

type Input<Verb extends keyof Store> = Parameters<Store[Verb]>[0]

/**
 * joining → alive → (lease runs out) expired → alive again at the next heartbeat, unless somebody rescued first
 * alive or expired → left, lost, or replaced by the next life under the same id: dead for good
 */
export class MemoryNodes extends MemoryState {
  /** Begins a new life: what this id held before is up for rescue, because whoever held it is gone. */
  joinNode(input: Input<'joinNode'>): Promise<NodeState> {
    return this.verb('joinNode', input, ({ nodeId, leaseMs }) => {
      const leaseUntil = this.clock() + leaseMs
      this.nodes.set(nodeId, { nodeId, leaseUntil, left: false, lost: false, aloneAtDeath: null })
      return this.nodeState(true)
    })
  }

  /** A lease that ran out is renewed while nobody has rescued: all its claims are still its own then. */
  heartbeat(input: Input<'heartbeat'>): Promise<NodeState> {
    return this.verb('heartbeat', input, ({ nodeId, leaseMs, highWater }) => {
      this.highWater = Math.max(this.highWater, highWater)
      const life = this.nodes.get(nodeId)
      if (life === undefined || life.left || life.lost) return this.nodeState(false)
      life.leaseUntil = this.clock() + leaseMs
      return this.nodeState(true)
    })
  }

  leaveNode(input: Input<'leaveNode'>): Promise<void> {
    return this.verb('leaveNode', input, ({ nodeId, highWater }) => {
      this.highWater = Math.max(this.highWater, highWater)
      const life = this.nodes.get(nodeId)
      if (life !== undefined) life.left = true
    })
  }

  protected isDead(life: NodeLife): boolean {
    if (this.nodes.get(life.nodeId) !== life) return true
    return life.left || life.lost || life.leaseUntil <= this.clock()
  }

  /** The present life under an id; an id that never joined has one that is lost already. */
  protected lifeOf(nodeId: string): NodeLife {
    let life = this.nodes.get(nodeId)
    if (life === undefined) {
      life = { nodeId, leaseUntil: 0, left: false, lost: true, aloneAtDeath: null }
      this.nodes.set(nodeId, life)
    }
    return life
  }

  private nodeState(alive: boolean): NodeState {
    return { alive, configVersion: this.configVersion, highWater: this.highWater }
  }
}
