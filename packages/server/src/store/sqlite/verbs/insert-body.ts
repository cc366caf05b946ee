import { createHash } from 'node:crypto'
import type { ClassMask } from '../../../core/data-classes.ts'
import type { Database } from '../database.ts'

/** Keeps a body that is not the uncut one; returns its reference. */
export function insertBody(db: Database, event: number, body: Uint8Array, classes: ClassMask): number {
  const sha256 = new Uint8Array(createHash('sha256').update(body).digest())
  return db
    .prepare('INSERT INTO bodies (event, body, sha256, classes) VALUES (?, ?, ?, ?)')
    .run(event, body, sha256, classes).lastInsertRowid as number
}
