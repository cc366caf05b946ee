import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Gives the run a folder that its workers share; see `template-database.ts`. */
export default function setUp(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'runbell-run-'))
  process.env['RUNBELL_TEST_RUN'] = folder
  return () => rmSync(folder, { recursive: true, force: true })
}
