import { readFileSync } from 'node:fs'

/**
 * The migrations, oldest first, each in a file of SQL beside this one. Append only: a database remembers how many it has
 * had (`PRAGMA user_version`), and one that has had more than this program knows is refused.
 */
export const MIGRATIONS: readonly string[] = [
  '0001-base.sql',
  '0002-contract.sql',
  '0004-audit.sql',
  '0006-limits.sql',
  '0007-erasure.sql',
  '0009-retention.sql',
  '0010-sealed-secrets.sql',
  '0011-runs.sql',
  '0012-bulk-replays.sql',
  '0013-approvals.sql',
  '0014-kinds.sql',
  '0015-notices.sql',
  '0016-ordering.sql',
].map((name) => readFileSync(new URL(`./migrations/${name}`, import.meta.url), 'utf8'))
