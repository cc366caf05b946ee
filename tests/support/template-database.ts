import { copyFile, mkdtemp, rename } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A run's first database with the types of tests; every other one begins as its copy, which takes a second less. */
const FOLDER = process.env['RUNBELL_TEST_RUN'] ?? null
const TEMPLATE = 'runbell.db'

/**
 * Puts the template into a data folder; the first one who asks makes it, and so may others at the same time.
 * @param make starts a server on an empty folder, registers the types, and ends the server
 */
export async function copyTemplate(dataDir: string, make: (dataDir: string) => Promise<void>): Promise<void> {
  const folder = FOLDER ?? tmpdir()
  const template = FOLDER === null ? null : join(FOLDER, TEMPLATE)
  if (template === null || !existsSync(template)) {
    const made = await mkdtemp(join(folder, 'making-'))
    await make(made)
    await copyFile(join(made, TEMPLATE), join(dataDir, TEMPLATE))
    // Whole or not at all: somebody may be looking for it.
    if (template !== null) await rename(join(made, TEMPLATE), template)
    return
  }
  await copyFile(template, join(dataDir, TEMPLATE))
}
