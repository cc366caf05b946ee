/**
 * Writes the files that are made from source, so that they cannot say anything else.
 *
 *     npm run generate               writes them, and removes those that nothing makes any more
 *     npm run generate -- --check    fails where what is on disk differs from what would be written
 */
import './require-node.mjs'
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { cliPage } from './generate/cli-page.mjs'
import { eventPages } from './generate/event-pages.mjs'
import { glossaryPage } from './generate/glossary-page.mjs'
import { problemsPage } from './generate/problems-page.mjs'

const ROOT = new URL('..', import.meta.url)

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
const events = await eventPages(ROOT)
const files = new Map([
  ['docs/cli.md', await cliPage(ROOT)],
  ['docs/reference/problems.md', await problemsPage(ROOT)],
  ['docs/reference/glossary.md', await glossaryPage(ROOT)],
  ...events.files,
])

const stale = [...files].filter(([path, content]) => readIfThere(new URL(path, ROOT)) !== content)
const left = events.folders.flatMap(filesIn).filter((path) => !files.has(path))

if (!values.check) {
  for (const [path, content] of stale) {
    const file = new URL(path, ROOT)
    mkdirSync(new URL('.', file), { recursive: true })
    writeFileSync(file, content)
  }
  for (const path of left) rmSync(new URL(path, ROOT))
}

const changed = [...stale.map(([path]) => path), ...left]
if (changed.length === 0) process.stdout.write(`generate: ${files.size} files are up to date\n`)
else if (values.check) {
  process.stdout.write(`generate: out of date, run \`npm run generate\`: ${changed.join(', ')}\n`)
  process.exitCode = 1
} else process.stdout.write(`generate: wrote ${changed.join(', ')}\n`)

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return null
    throw error
  }
}

/** Every file below a folder, from the root. */
function filesIn(folder) {
  try {
    const entries = readdirSync(new URL(`${folder}/`, ROOT), { recursive: true, withFileTypes: true })
    const base = new URL(`${folder}/`, ROOT).pathname
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => `${folder}/${`${entry.parentPath}/${entry.name}`.slice(base.length).replace(/^\/+/, '')}`)
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  }
}
