/**
 * Everything that can be said about the code without running it; `npm run check` and the continuous integration call it.
 *
 *     node scripts/check.mjs [--report FILE]
 *
 * Every step runs, also after one that failed. The report is `{ passed, failed }` as JSON.
 */
import './require-node.mjs'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, stripVTControlCharacters } from 'node:util'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** @type {[name: string, command: string[]][]} */
const STEPS = [
  ['format', ['oxfmt', '--check', '.']],
  ['lint', process.stdout.isTTY ? ['oxlint'] : ['oxlint', '-f', 'unix']],
  ['types: SDK, web standards only', ['tsc', '-p', 'packages/sdk/tsconfig.json']],
  ['types: contract and catalog, language only', ['tsc', '-p', 'packages/sdk/tsconfig.contract.json']],
  ['types: core, language only', ['tsc', '-p', 'packages/server/src/core/tsconfig.json']],
  ['types: everything', ['tsc', '-p', 'tsconfig.json']],
  ['unused files, exports and dependencies', ['knip', '--no-progress']],
  ['generated files', ['node', '--conditions=runbell-source', 'scripts/generate.mjs', '--check']],
]

const { values } = parseArgs({ options: { report: { type: 'string' } } })
const env = { ...process.env, PATH: [join(ROOT, 'node_modules/.bin'), process.env.PATH].join(delimiter) }
const failed = /** @type {string[]} */ ([])

for (const [name, line] of STEPS) {
  const [command = '', ...args] = line
  process.stdout.write(`\n--- ${name}: ${line.join(' ')}\n`)
  const startedAt = performance.now()
  const { status, error } = runStep(command, args)
  if (error !== undefined) process.stdout.write(`${error.message}\n`)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  if (status === 0) process.stdout.write(`ok (${seconds} s)\n`)
  else {
    failed.push(name)
    process.stdout.write(`FAILED (${seconds} s)\n`)
  }
}

if (values.report !== undefined) {
  writeFileSync(values.report, JSON.stringify({ passed: STEPS.length - failed.length, failed: failed.length }))
}
const summary = failed.length === 0 ? `all ${STEPS.length} checks passed` : `failed: ${failed.join('; ')}`
process.stdout.write(`\ncheck: ${summary}\n`)
process.exitCode = failed.length === 0 ? 0 : 1

/** Some tools colour a log that no terminal shows. */
function runStep(command, args) {
  if (process.stdout.isTTY) return spawnSync(command, args, { cwd: ROOT, env, stdio: ['ignore', 'inherit', 'inherit'] })
  const step = spawnSync(command, args, { cwd: ROOT, env, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  process.stdout.write(stripVTControlCharacters(`${step.stdout ?? ''}${step.stderr ?? ''}`))
  return step
}
