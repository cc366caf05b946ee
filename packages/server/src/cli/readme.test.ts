import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { createApiClient } from './api-client.ts'
import { readyLine, runCli, runNode, temporaryFolder } from './testing/cli-process.ts'

const ROOT = new URL('../../../../', import.meta.url)
const readme = readFileSync(new URL('README.md', ROOT), 'utf8')

test.each(['publish', 'receive'])('the README shows examples/%s.ts as it is', (name) => {
  const source = readFileSync(new URL(`examples/${name}.ts`, ROOT), 'utf8')
  expect(readme).toContain(`\`\`\`ts\n${source}\`\`\``)
  expect(source.trimEnd().split('\n').length).toBeLessThanOrEqual(10)
})

test('the files it points to are there', () => {
  const targets = [...readme.matchAll(/\]\((?!https?:)(?<path>[^)#]+)/g)].map(
    ({ groups }) => groups?.['path'] as string,
  )
  expect(targets.length).toBeGreaterThan(0)
  expect(targets.filter((target) => !existsSync(new URL(target, ROOT)))).toEqual([])
})

test('what examples/publish.ts publishes arrives at examples/receive.ts', async () => {
  const { url, api_key: key } = await readyLine(
    runCli(['dev', '--port', '0', '--json', '--data-dir', temporaryFolder()]),
  )
  const api = createApiClient(url, key)
  const port = await freePort()
  const { secret } = await api.post<{ secret: string }>('/v1/endpoints', { url: `http://127.0.0.1:${port}/` })
  const receiver = runExample('receive', { PORT: String(port), RUNBELL_SECRET: secret })
  await receiver.stdout.find(/^listening on/)
  const producer = runExample('publish', { RUNBELL_URL: url, RUNBELL_API_KEY: key })
  expect(await producer.exit, producer.stderr.all.join('\n')).toBe(0)
  expect(await receiver.stdout.find(/is complete/)).toMatch(/^run_\S+ is complete, says refund-agent$/)
})

function runExample(name: string, env: Record<string, string>) {
  return runNode([fileURLToPath(new URL(`examples/${name}.ts`, ROOT))], env)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
