import type { Authenticator } from '../access/authenticate.ts'
import type { Principal } from '../access/principal.ts'
import type { ApiContext } from '../context.ts'
import type { BodyKind } from '../http/content-type.ts'
import type { BodyRead } from '../http/read-body.ts'
import type { Fingerprint } from './fingerprint.ts'

/** A request to publish, as far as it does not matter whether `node:http` or `fetch` brought it. */
export interface PublishRequest {
  route: 'event' | 'batch'
  requestId: string
  /** By lower-case name. */
  header(name: string): string | null
  readBody(maxBytes: number): Promise<BodyRead>
}

/** What publishing works with. */
export interface PublishServices {
  context: ApiContext
  authenticator: Authenticator
  fingerprint: Fingerprint
}

/** A request that may publish, with its body. */
export interface PublishCall extends PublishServices {
  principal: Principal
  requestId: string
  kind: BodyKind
  bytes: Uint8Array
  header(name: string): string | null
}
