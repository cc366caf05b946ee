import { z } from '@hono/zod-openapi'
import { textAnswer } from '../http/answer.ts'
import { definePage, type Route } from '../route.ts'

/** More than this is asked for endpoint by endpoint. */
const MAX_KEYS = 1000
const MAX_AGE_SECONDS = 60

const jwks = z
  .object({
    keys: z.array(
      z.object({
        kty: z.literal('OKP'),
        crv: z.literal('Ed25519'),
        x: z.string().openapi({ description: 'The 32 bytes, base64url.' }),
        kid: z.string().openapi({ description: 'The id of the secret.' }),
        use: z.literal('sig'),
        alg: z.literal('EdDSA'),
      }),
    ),
  })
  .openapi('PublicKeys')

/** Public keys hold nothing secret and need no key: receivers verify with them (contract, "Signing"; RFC 8037). */
const getPublicKeys = definePage({
  path: '/.well-known/runbell-keys.json',
  operationId: 'getPublicKeys',
  summary: 'The ed25519 keys that sign now, as a JWK set, newest first; ?endpoint_id= names one endpoint',
  query: z.strictObject({ endpoint_id: z.string().max(200).optional() }),
  answers: { 200: { description: `At most ${MAX_KEYS} keys`, schema: jwks } },
  problems: ['unavailable'],
  async handle({ context }, _params, query) {
    const endpointId = query.get('endpoint_id')
    const rows = await context.store.listPublicKeys({ endpointId, now: context.clock.now(), limit: MAX_KEYS })
    const keys = rows.map(({ secretId, publicKey }) => ({
      ...{ kty: 'OKP', crv: 'Ed25519', use: 'sig', alg: 'EdDSA', kid: secretId },
      x: Buffer.from(publicKey.replace(/^whpk_/, ''), 'base64').toString('base64url'),
    }))
    const answer = textAnswer(200, JSON.stringify({ keys }))
    const headers = { ...answer.headers, 'cache-control': `public, max-age=${MAX_AGE_SECONDS}` }
    return { ...answer, headers }
  },
})

export const PUBLIC_KEY_ROUTES: readonly Route[] = [getPublicKeys]
