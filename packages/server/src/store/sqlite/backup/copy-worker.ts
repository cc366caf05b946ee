import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'

/*
 * Copies a database as of one moment, while others read and write it: `VACUUM INTO` is one read transaction, and takes only what is
 * in use along, nothing that was deleted. SQLite's page-wise backup would begin anew with every commit.
 */
const { path, target } = workerData as { path: string; target: string }
const database = new DatabaseSync(path, { readOnly: true, timeout: 5000 })
database.prepare('VACUUM INTO ?').run(target)
database.close()
const copy = new DatabaseSync(target, { readOnly: true })
const check = copy.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check']
copy.close()
parentPort?.postMessage(check)
