import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROOT } from './repository.ts'

/*
 * The rules of `.oxlintrc.json` that hold up the architecture, each against a file that breaks it: a rule whose pattern
 * of files no longer fits anything would otherwise stay silent for ever.
 */

const CORE = 'packages/server/src/core'
const PURE = 'eslint(no-restricted-globals)'
const IMPORTS = 'eslint(no-restricted-imports)'

/** A file, its text, and the rule that must speak up; `null`: none may. */
const PLANTED: [path: string, text: string, rule: string | null][] = [
  [`${CORE}/date-now.ts`, 'export const now = Date.now()', 'eslint(no-restricted-properties)'],
  [`${CORE}/math-random.ts`, 'export const random = Math.random()', 'eslint(no-restricted-properties)'],
  [`${CORE}/new-date.ts`, 'export const now = new Date()', 'runbell(no-clock-date)'],
  [`${CORE}/call-date.ts`, 'export const now = Date()', 'runbell(no-clock-date)'],
  [`${CORE}/date-of.ts`, 'export const start = new Date(0).getTime() + Date.parse("1970")', null],
  [`${CORE}/process.ts`, 'export const path = process.env["PATH"]', PURE],
  [`${CORE}/performance.ts`, 'export const now = globalThis.performance.now()', PURE],
  [`${CORE}/timer.ts`, 'export const timer = setTimeout(() => {}, 1)', PURE],
  [`${CORE}/node-module.ts`, "export { readFileSync } from 'node:fs'", IMPORTS],
  [`${CORE}/package.ts`, "export { z } from 'zod'", IMPORTS],
  [`${CORE}/clock.test.ts`, 'export const now = Date.now()', null],
  ['packages/server/src/api/fetch.ts', "export const answer = fetch('https://a.example')", PURE],
  ['packages/server/src/api/global-fetch.ts', "export const answer = globalThis.fetch('https://a.example')", PURE],
  ['packages/server/src/delivery/transport.ts', "export const answer = fetch('https://a.example')", PURE],
  ['packages/sdk/src/receive/fetch.ts', "export const answer = fetch('https://a.example')", PURE],
  ['packages/sdk/src/emit/http.ts', "export const answer = fetch('https://a.example')", null],
  ['tests/e2e/fetch.ts', "export const answer = fetch('https://a.example')", null],
  ['packages/server/src/api/undici.ts', "export { Agent } from 'undici'", IMPORTS],
  ['packages/server/src/delivery/undici.ts', "export { Agent } from 'undici'", IMPORTS],
  ['packages/server/src/delivery/transport-attempt.ts', "export { Agent } from 'undici'", null],
  ['packages/server/src/delivery/connector.ts', "export { Agent } from 'undici'", null],
  ['packages/server/src/store/memory/sqlite.ts', "export { DatabaseSync } from 'node:sqlite'", IMPORTS],
  ['packages/server/src/runbell.ts', "export { DatabaseSync } from 'node:sqlite'", IMPORTS],
  ['packages/server/src/store/sqlite/database.ts', "export { DatabaseSync } from 'node:sqlite'", null],
  ['packages/server/src/delivery/hono.ts', "export { Hono } from 'hono'", IMPORTS],
  ['packages/server/src/config/hono.ts', "export { cors } from 'hono/cors'", IMPORTS],
  ['packages/server/src/api/hono.ts', "export { Hono } from 'hono'", null],
  ['packages/sdk/src/signing/package.ts', "export { z } from 'zod'", IMPORTS],
  ['packages/sdk/src/signing/node-module.ts', "export { createHmac } from 'node:crypto'", IMPORTS],
  ['packages/server/src/api/console.ts', "console.log('x')", 'eslint(no-console)'],
  ['packages/sdk/src/emit/console.ts', "console.warn('x')", 'eslint(no-console)'],
  ['packages/server/src/cli/console.ts', "console.log('x')", null],
  ['packages/server/src/api/floating.ts', 'Promise.resolve(1)', 'typescript(no-floating-promises)'],
  ['packages/server/src/api/let-go.ts', 'void Promise.resolve(1)', null],
  [
    'packages/server/src/api/misused.ts',
    'setInterval(async () => {\n  await Promise.resolve(1)\n}, 1000)',
    'typescript(no-misused-promises)',
  ],
  ['packages/server/src/api/await.ts', 'await 1', 'typescript(await-thenable)'],
  ['packages/server/src/api/cycle-a.ts', "export { b as a } from './cycle-b.ts'", 'import(no-cycle)'],
  ['packages/server/src/api/cycle-b.ts', "export { a as b } from './cycle-a.ts'", 'import(no-cycle)'],
  ['packages/server/src/api/lines.ts', 'export {}\n'.repeat(401), 'eslint(max-lines)'],
  ['packages/server/src/api/function.ts', longFunction(71), 'eslint(max-lines-per-function)'],
  ['scripts/function.mjs', longFunction(71), 'eslint(max-lines-per-function)'],
  ['packages/server/src/api/short.ts', longFunction(70), null],
]

const found = new Map<string, string[]>()
let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'runbell-lint-'))
  cpSync(join(ROOT, '.oxlintrc.json'), join(folder, '.oxlintrc.json'))
  cpSync(join(ROOT, 'scripts/lint'), join(folder, 'scripts/lint'), { recursive: true })
  const compilerOptions = { module: 'nodenext', types: ['node'], typeRoots: [join(ROOT, 'node_modules/@types')] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
  for (const [path, text] of PLANTED) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text.endsWith('\n') ? text : `${text}\n`)
  }
  const tools = join(ROOT, 'node_modules/.bin')
  const { stdout, stderr } = spawnSync(join(tools, 'oxlint'), ['-f', 'json'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, PATH: [tools, process.env['PATH']].join(delimiter) },
  })
  if (!stdout.includes('"diagnostics"')) throw new Error(`oxlint did not run: ${stdout}${stderr}`)
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { filename: string; code: string }[] }
  for (const { filename, code } of diagnostics) found.set(filename, [...(found.get(filename) ?? []), code])
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a planted file', () => {
  test.each(PLANTED)('%s', (path, _text, rule) => {
    const codes = found.get(path) ?? []
    if (rule === null) expect(codes).toEqual([])
    else expect(codes).toContain(rule)
  })
})

function longFunction(lines: number): string {
  return `export function long() {\n${'  void 0\n'.repeat(lines - 2)}}\n`
}
