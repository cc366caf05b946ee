import type { SeededRandom } from './seeded-random.ts'

interface Task {
  at: number
  order: number
  run(): void
  cancelled: boolean
}

/**
 * Simulated time. Everything that waits is a task with a time; tasks of the same time run in an order drawn from the seed.
 * Between two tasks all promises settle, so that one await is one place where workers can be interleaved.
 */
export class World {
  readonly random: SeededRandom
  /** True time in ms, which no node's clock need agree with. */
  time = 0
  #tasks: Task[] = []
  steps = 0

  constructor(random: SeededRandom) {
    this.random = random
  }

  /** Runs `run` after `ms`; the answer takes it back. */
  after(ms: number, run: () => void): () => void {
    const task: Task = { at: this.time + Math.max(0, ms), order: this.random.fraction(), run, cancelled: false }
    this.#insert(task)
    return () => {
      task.cancelled = true
    }
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms, resolve))
  }

  /** Runs until `time`, or until `done` holds. */
  async runUntil(time: number, done: () => boolean = () => false): Promise<void> {
    while (!done()) {
      const next = this.#tasks.pop()
      if (next === undefined || next.at > time) {
        if (next !== undefined) this.#tasks.push(next)
        this.time = Math.max(this.time, time)
        return
      }
      if (next.cancelled) continue
      this.time = Math.max(this.time, next.at)
      this.steps++
      next.run()
      // A turn of the event loop: every promise that can settle has settled after it.
      await new Promise<void>((resolve) => void setImmediate(resolve))
    }
  }

  /** Kept in order, the next one last. */
  #insert(task: Task): void {
    let low = 0
    let high = this.#tasks.length
    while (low < high) {
      const middle = (low + high) >> 1
      const other = this.#tasks[middle] as Task
      if (other.at > task.at || (other.at === task.at && other.order > task.order)) low = middle + 1
      else high = middle
    }
    this.#tasks.splice(low, 0, task)
  }
}
