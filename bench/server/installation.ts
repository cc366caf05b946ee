import { cp, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createApiKey } from '../../packages/server/src/api/access/api-key.ts'
import { createSystemRandom } from '../../packages/server/src/system.ts'
import { newMasterKey } from '../../packages/server/src/wiring/master-keys.ts'
import type { Receiver } from '../receiver/receiver.ts'
import { startServer, type Server, type ServerOptions } from './server.ts'

/** Who gets what: endpoint i subscribes to type i modulo the number of types, so that each event goes to endpoints ÷ types. */
export interface Subscriptions {
  endpoints: number
  types: number
}

/** Requests under way at once while endpoints are made. */
const AT_ONCE = 8

export function typeNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `bench.type_${index}.happened`)
}

export interface InstallationOptions {
  folder: string
  receiver: Receiver
  subscriptions: Subscriptions
  logLevel: string
  /** `null`: the embedded one, a fresh copy for each server that is started. Otherwise where one is that nothing is in. */
  databaseUrl: string | null
}

/**
 * What servers of a scenario begin with: event types, and an endpoint for each port of the receiver. They are made once, and with the
 * embedded database each server starts on a copy.
 */
export class Installation {
  readonly key: string
  /** Ids of the endpoints, in the order of the receiver's ports. */
  readonly endpointIds: string[]
  readonly types: string[]
  /** The folder that is copied; what is loaded into its database is there for every server. */
  readonly dataDir: string
  readonly #options: InstallationOptions
  readonly #environment: Record<string, string>

  private constructor(options: InstallationOptions, dataDir: string, like?: Installation) {
    this.#options = options
    this.dataDir = dataDir
    this.types = typeNames(options.subscriptions.types)
    if (like !== undefined) {
      this.key = like.key
      this.endpointIds = like.endpointIds
      this.#environment = like.#environment
      return
    }
    this.endpointIds = []
    const random = createSystemRandom()
    this.key = createApiKey({ mode: 'live', scopes: ['admin'], now: Date.now(), random }).key
    this.#environment = {
      RUNBELL_ADMIN_KEYS: this.key,
      RUNBELL_MASTER_KEY: newMasterKey(),
      // More than one tenant has by default: what is measured is not the limit.
      RUNBELL_LIMIT_ENDPOINTS: '100000',
      RUNBELL_LIMIT_PUBLISH_RATE: '1000000',
      RUNBELL_LIMIT_PENDING: '100000000',
      ...(options.databaseUrl === null ? {} : { RUNBELL_DATABASE_URL: options.databaseUrl }),
    }
  }

  static async make(options: InstallationOptions): Promise<Installation> {
    const dataDir = await mkdtemp(join(options.folder, 'installation-'))
    const installation = new Installation(options, dataDir)
    await installation.change((server) => installation.#register(server))
    return installation
  }

  /** Another with the same endpoints and keys, and a database of its own. */
  async copy(): Promise<Installation> {
    const dataDir = await mkdtemp(join(this.#options.folder, 'installation-'))
    await cp(this.dataDir, dataDir, { recursive: true })
    return new Installation(this.#options, dataDir, this)
  }

  /** Lets a server change what all later ones begin with. */
  async change(run: (server: Server) => Promise<void>): Promise<void> {
    const server = await startServer(this.#serverOptions(this.dataDir))
    try {
      await run(server)
    } finally {
      await server.kill()
    }
  }

  /** Runs a server on a copy of its own, and takes both away. @param inPlace no copy: the last server on this installation */
  async use<Result>(
    run: (server: Server) => Promise<Result>,
    { inPlace = false, ...experiment }: { inPlace?: boolean; withoutSlowLane?: boolean } = {},
  ): Promise<Result> {
    const dataDir = inPlace ? this.dataDir : await mkdtemp(join(this.#options.folder, 'server-'))
    if (!inPlace) await cp(this.dataDir, dataDir, { recursive: true })
    const server = await startServer({ ...this.#serverOptions(dataDir), ...experiment })
    try {
      return await run(server)
    } finally {
      await server.kill()
      if (!inPlace) await rm(dataDir, { recursive: true, force: true })
    }
  }

  async remove(): Promise<void> {
    await rm(this.dataDir, { recursive: true, force: true })
  }

  #serverOptions(dataDir: string): ServerOptions {
    return { dataDir, environment: this.#environment, logLevel: this.#options.logLevel }
  }

  async #register(server: Server): Promise<void> {
    const schema = { type: 'object', properties: { text: { type: 'string' } }, 'x-data-class': 'public' }
    await inTurns(this.types, async (type) => {
      const input = { type, fact: 'Something happened.', schema, examples: [{ text: 'a' }] }
      await server.post('/v1/event-types', input)
    })
    await inTurns(this.#options.receiver.origins, async (origin, index) => {
      const type = this.types[index % this.types.length]
      const made = await server.post('/v1/endpoints', { url: `${origin}/hook`, event_types: [type] })
      this.endpointIds[index] = (made as { id: string }).id
    })
  }
}

async function inTurns<Item>(items: readonly Item[], run: (item: Item, index: number) => Promise<void>): Promise<void> {
  let next = 0
  const turn = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++
      await run(items[index] as Item, index)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, turn))
}
