import { expect, test } from 'vitest'
import { runNode } from './testing/cli-process.ts'

test('a database that fails ends the process with 1 and one sentence, also where stopping hangs', async () => {
  const program = `
    import { serveUntilStopped } from ${JSON.stringify(new URL('serve.ts', import.meta.url).href)}
    setInterval(() => {}, 1000)
    const open = async ({ onFatal }) => {
      setImmediate(() => onFatal(new Error('disk I/O error')))
      return { stop: () => new Promise(() => {}) }
    }
    serveUntilStopped(open).catch((error) => console.error(error.message))`
  const { exit, stderr } = runNode(['--input-type=module', '--eval', program])
  expect(await exit).toBe(1)
  expect(stderr.all).toEqual([
    'the database cannot be used any more (disk I/O error): check the disk, then start again',
  ])
})

test('what a server that has stopped left open does not keep its process', async () => {
  const program = `
    const { serveUntilStopped } = await import('./packages/server/src/cli/serve.ts')
    setInterval(() => {}, 1000)
    process.exitCode = await serveUntilStopped(async () => ({ stop: async () => {}, ended: Promise.resolve() }))`
  const { exit } = runNode(['--input-type=module', '--eval', program])
  expect(await exit).toBe(0)
})
