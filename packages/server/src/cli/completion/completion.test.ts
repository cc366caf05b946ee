import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createProgram } from '../program.ts'
import { captureOutput, runHere } from '../testing/run-here.ts'
import { allCommands, commandTree } from './command-tree.ts'
import { completionScript } from './completion-scripts.ts'

captureOutput()
const tree = commandTree(createProgram(async () => {}))
const BASH = '/bin/bash'

/** What bash offers for lines whose last word is being written. */
function offered(lines: string[][]): string[][] {
  const ask = lines.map((words) => `ask ${words.map((word) => `'${word}'`).join(' ')}`).join('\n')
  const script = `${completionScript('bash', tree)}
cd "$(mktemp -d)"
ask() { COMP_WORDS=(runbell "$@"); COMP_CWORD=$#; _runbell; echo "\${COMPREPLY[*]}"; }
${ask}`
  const out = execFileSync(BASH, ['--norc', '-c', script], { encoding: 'utf8' })
  return out
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split(' '))
}

test.skipIf(!existsSync(BASH))('bash completes commands, their commands, flags and known values', () => {
  const [commands, below, flags, story, afterFlag, shells] = offered([
    ['tr'],
    ['endpoints', 'c'],
    ['deliveries', 'list', '--st'],
    ['trigger', '--story', ''],
    ['trigger', '--json', '--story', 'ex'],
    ['completion', 'b'],
  ])
  expect(commands).toEqual(['trigger'])
  expect(below).toEqual(['create'])
  expect(flags).toEqual(['--status'])
  expect(story).toEqual(['refund', 'approval', 'failure', 'partial', 'expired'])
  expect(afterFlag).toEqual(['expired'])
  expect(shells).toEqual(['bash'])
})

test.each(['bash', 'zsh', 'fish'] as const)('%s gets every command and every flag', (shell) => {
  const script = completionScript(shell, tree)
  for (const { path, options } of allCommands(tree).slice(1)) {
    expect(script).toContain(path.split(' ').at(-1))
    for (const { long } of options) if (long !== null) expect(script).toContain(long.slice(2))
  }
})

test('the command prints the script, and knows three shells', async () => {
  const { code, out } = await runHere('completion', 'fish')
  expect([code, out]).toEqual([0, completionScript('fish', tree).trimEnd()])
  expect((await runHere('completion', 'csh')).code).toBe(2)
})

test('every command that prints results can print them as JSON', () => {
  const scripts = new Set(['completion', 'keys generate-master', 'audit export', 'dead-letters export'])
  const leaves = allCommands(tree).filter(({ children }) => children.length === 0)
  const without = leaves.filter(({ options }) => !options.some(({ long }) => long === '--json')).map(({ path }) => path)
  expect(without.filter((path) => !scripts.has(path))).toEqual([])
})
