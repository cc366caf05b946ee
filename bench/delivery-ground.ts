import type { LoadOptions } from './load/load.ts'
import { measureDelivered, type Delivered } from './delivered.ts'
import { startReceiver, type Receiver } from './receiver/receiver.ts'
import type { Bench } from './scenario.ts'
import { Installation, type Subscriptions } from './server/installation.ts'
import type { Server } from './server/server.ts'

/** Connections that publish, one event a request and many. */
export const PUBLISHERS = 64
export const BATCH_PUBLISHERS = 8
export const BATCH = 100

/** A receiver, and what servers begin with whose endpoints are its ports. */
export interface Ground {
  receiver: Receiver
  installation: Installation
  /** Deliveries of an event. */
  deliveries: number
  close(): Promise<void>
}

export async function openGround(bench: Bench, subscriptions: Subscriptions): Promise<Ground> {
  const { folder, logLevel, databaseUrl } = bench
  const receiver = await startReceiver(subscriptions.endpoints)
  try {
    const installation = await Installation.make({ folder, receiver, subscriptions, logLevel, databaseUrl })
    return {
      ...{ receiver, installation, deliveries: subscriptions.endpoints / subscriptions.types },
      async close() {
        await receiver.close()
        await installation.remove()
      },
    }
  } catch (error) {
    await receiver.close()
    throw error
  }
}

/** Publishes events with numbers of their own to one server. */
export class Publisher {
  readonly #ground: Ground
  readonly #server: Server
  #nextNumber = 0

  constructor(ground: Ground, server: Server) {
    this.#ground = ground
    this.#server = server
  }

  async measure(
    options: Pick<LoadOptions, 'connections' | 'seconds' | 'batch' | 'perSecond'> & {
      bytes?: number
      /** @default one for each endpoint */
      types?: readonly string[]
      arrives?: (number: number) => boolean
    },
  ): Promise<Delivered> {
    const { installation, receiver, deliveries } = this.#ground
    const { bytes, types = installation.types, ...rest } = options
    const delivered = await measureDelivered(this.#server, receiver, {
      ...rest,
      ...{ key: installation.key, deliveries, firstNumber: this.#nextNumber },
      events: { types, ...(bytes === undefined ? {} : { bytes }) },
    })
    // The next begins with the same type.
    this.#nextNumber += Math.ceil(delivered.events / installation.types.length) * installation.types.length
    return delivered
  }

  /** What is compiled, connected and in memory after a while, before anything is measured. */
  async warmUp(seconds: number): Promise<void> {
    const { events } = await this.measure({ connections: PUBLISHERS, seconds })
    // The first event of each type costs the making of its validator.
    const { types } = this.#ground.installation
    if (events < types.length) await this.measure({ connections: 1, seconds: 0.001, batch: types.length })
  }
}
