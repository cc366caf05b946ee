import type { Store } from '../../store.ts'
import type { PostgresContext } from './context.ts'

export async function pruneEndpoints(
  { db }: PostgresContext,
  { deletedBefore, limit }: Parameters<Store['pruneEndpoints']>[0],
): Promise<number> {
  const rows = await db.rows(
    `DELETE FROM endpoints WHERE ref IN (
       SELECT ref FROM endpoints WHERE deleted_at IS NOT NULL AND settled AND deleted_at < $1
         AND NOT EXISTS (SELECT 1 FROM deliveries WHERE endpoint = endpoints.ref) ORDER BY ref LIMIT $2)
     RETURNING ref`,
    ...[deletedBefore, limit],
  )
  const gone = rows.map(({ ref }) => ref as number)
  if (gone.length > 0) await db.run('DELETE FROM secrets WHERE endpoint = ANY($1)', gone)
  return gone.length
}

/** Space that holds nothing is Postgres' own matter: autovacuum finds it, and what comes next is put there. */
export async function reclaimSpace(): Promise<number> {
  return 0
}
