/**
 * The packed SDK, installed from its tarball and used on the runtimes that are on this machine: `npm run smoke`, which
 * builds it first. A runtime that is not there is skipped, with the reason.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SDK = fileURLToPath(new URL('../packages/sdk', import.meta.url))
/** Where it says `runbell smoke ok`, everything below worked. */
const PROGRAM = `
import { onceEventId, Runbell } from '@runbell/sdk/emit'
import { createReceiver } from '@runbell/sdk/receive'
import { memoryReceiver, signedFixture, story, TEST_SECRET } from '@runbell/sdk/testing'
const types = []
const fetch = async (_url, init) => {
  const { type, event_id } = JSON.parse(init.body)
  types.push(type)
  return new Response(JSON.stringify({ event_id, sequence: 1, duplicate: false, deliveries: 0, warnings: [] }), { status: 202 })
}
const runbell = new Runbell({ url: 'http://127.0.0.1:1', key: 'rb_test_x', defaultAgent: { id: 'a' }, fetch })
await runbell.run({ run_id: 'run_1' }, (run) => run.tool({ name: 'x' }, () => 1))
await runbell.close()
const receiver = createReceiver({ secrets: TEST_SECRET }).on('*', () => undefined)
const { headers, body } = await signedFixture('agent.run.completed')
const response = await receiver.fetch(new Request('http://localhost/', { method: 'POST', headers, body }))
const { deliver } = memoryReceiver()
for (const event of story('refund_with_approval')) if ((await deliver(event)).status !== 200) throw new Error(event.type)
const id = onceEventId('test', { type: 'agent.tool_call.started', run_id: 'run_1', child_id: 'call_1', n: 1 })
if (types.length !== 4 || response.status !== 200 || !id.startsWith('evt_test_once_')) throw new Error(id)
console.log('runbell smoke ok ' + id)
`

/** Each with what runs a file on it. */
const RUNTIMES = [
  ['this Node', process.execPath, []],
  ['node of this machine', '/usr/bin/node', []],
  ['bun', 'bun', ['run']],
  ['deno', 'deno', ['run', '--allow-read']],
]

const folder = mkdtempSync(join(tmpdir(), 'runbell-smoke-'))
try {
  const packed = run('npm', ['pack', '--silent', '--pack-destination', folder], SDK).trim()
  writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}')
  run('npm', ['install', '--silent', '--offline', '--no-audit', '--no-fund', join(folder, packed)], folder)
  writeFileSync(join(folder, 'smoke.mjs'), PROGRAM)
  const ids = new Set(RUNTIMES.map(([name, command, args]) => smoke(name, command, args)).filter((id) => id !== null))
  if (ids.size !== 1) throw new Error(`runtimes make different ids: ${[...ids].join(', ')}`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function smoke(name, command, args) {
  const { status: there, stdout: version } = spawnSync(command, ['--version'], { encoding: 'utf8' })
  if (there !== 0) {
    process.stdout.write(`smoke: ${name} is skipped: ${command} is not on this machine\n`)
    return null
  }
  const said = run(command, [...args, join(folder, 'smoke.mjs')], folder).trim()
  if (!said.startsWith('runbell smoke ok ')) throw new Error(`${name}: ${said}`)
  process.stdout.write(`smoke: ${name} (${version.trim().split('\n')[0]}) is fine\n`)
  return said
}

function run(command, args, cwd) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`)
  return stdout
}
