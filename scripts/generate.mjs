/**
 * Writes the pages that are made from source, so that they cannot say anything else.
 *
 *     node scripts/generate.mjs           writes them
 *     node scripts/generate.mjs --check   fails where a page on disk differs from what would be written
 */
import './require-node.mjs'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { glossaryPage } from './generate/glossary-page.mjs'
import { problemsPage } from './generate/problems-page.mjs'

const ROOT = new URL('..', import.meta.url)

const PAGES = [
  ['docs/reference/problems.md', problemsPage],
  ['docs/reference/glossary.md', glossaryPage],
]

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
const stale = []

for (const [path, write] of PAGES) {
  const file = new URL(path, ROOT)
  const page = await write(ROOT)
  if (readIfThere(file) === page) continue
  stale.push(path)
  if (values.check) continue
  mkdirSync(new URL('.', file), { recursive: true })
  writeFileSync(file, page)
}

if (stale.length === 0) process.stdout.write(`generate: ${PAGES.length} pages are up to date\n`)
else if (values.check) {
  process.stdout.write(`generate: out of date, run \`npm run generate\`: ${stale.join(', ')}\n`)
  process.exitCode = 1
} else process.stdout.write(`generate: wrote ${stale.join(', ')}\n`)

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return null
    throw error
  }
}
