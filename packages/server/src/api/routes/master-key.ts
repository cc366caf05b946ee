import { z } from '@hono/zod-openapi'
import { auditOf } from '../access/audit.ts'
import { refusedToBound } from '../access/principal.ts'
import { jsonAnswer } from '../http/answer.ts'
import { defineRoute, type Route } from '../route.ts'

const rotatedSchema = z
  .object({
    master_key_id: z.string().openapi({ description: 'The master key that wraps every data key now.' }),
    rewrapped: z.number().int().openapi({ description: 'Data keys that were wrapped anew.' }),
    retired_master_key_ids: z.array(z.string()).openapi({
      description: 'Master keys that nothing needs any more: take them out of the configuration.',
    }),
  })
  .openapi('MasterKeyRotated')

/** No key material travels: the server reads its master keys again where they are configured, and wraps with the first. */
const rotateMasterKey = defineRoute({
  method: 'post',
  path: '/v1/master-key/rotate',
  operationId: 'rotateMasterKey',
  summary: 'Reads the master keys again and wraps every data key with the first of them; deliveries go on',
  scopes: ['admin'],
  query: z.strictObject({}),
  answers: { 200: { description: 'Everything is wrapped by it', schema: rotatedSchema } },
  problems: ['state_conflict'],
  async handle(call) {
    const { context, principal } = call
    if (principal.tenantId !== null) throw refusedToBound('The master key belongs to all tenants')
    const audit = auditOf(call, { action: 'master_key.rotated', target: 'master_key', tenantId: null })
    const rotated = await context.rotateMasterKey(audit)
    return jsonAnswer(200, {
      master_key_id: rotated.masterKeyId,
      rewrapped: rotated.rewrapped,
      retired_master_key_ids: rotated.retired,
    })
  },
})

export const MASTER_KEY_ROUTES: readonly Route[] = [rotateMasterKey]
