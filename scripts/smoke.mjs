/**
 * The packed SDK, installed from its tarball and used on every runtime that npm has: `npm run smoke`, which builds it first. The
 * runtimes (half a gigabyte) are installed into a folder that goes afterwards. One that cannot be had is skipped, with the reason.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
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

const PLATFORM = `${process.platform}-${process.arch}`
/** The packages of runtimes for a platform have no install script, unlike those that choose one. */
const LIBC = process.platform === 'linux' ? '-glibc' : ''

/** Each with its package, the program in it, and what runs a file on it. */
const RUNTIMES = [
  { name: 'Node 20', package: `node-${PLATFORM}@20`, program: 'bin/node', args: [] },
  { name: 'Node 22', package: `node-${PLATFORM}@22`, program: 'bin/node', args: [] },
  { name: 'Bun', package: `@oven/bun-${PLATFORM}`, program: 'bin/bun', args: ['run'] },
  {
    ...{ name: 'Deno', package: `@deno/${PLATFORM}${LIBC}` },
    ...{ program: 'deno', args: ['run', '--allow-read', '--node-modules-dir=manual'] },
  },
]

const folder = mkdtempSync(join(tmpdir(), 'runbell-smoke-'))
try {
  const packed = run('npm', ['pack', '--silent', '--pack-destination', folder], SDK).trim()
  writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}')
  run('npm', ['install', '--silent', '--offline', '--no-audit', '--no-fund', join(folder, packed)], folder)
  writeFileSync(join(folder, 'smoke.mjs'), PROGRAM)
  const ids = new Set([smoke('this Node', process.execPath, [])])
  for (const runtime of RUNTIMES) {
    const command = install(runtime)
    if (command !== null) ids.add(smoke(runtime.name, command, runtime.args))
  }
  if (ids.size !== 1) throw new Error(`runtimes make different ids: ${[...ids].join(', ')}`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** Where the program of this runtime is, or `null` where it cannot be had. */
function install(runtime) {
  const at = join(folder, runtime.name.replace(' ', '-').toLowerCase())
  mkdirSync(at)
  writeFileSync(join(at, 'package.json'), '{"private":true}')
  const args = ['install', '--silent', '--no-audit', '--no-fund', '--ignore-scripts', `runtime@npm:${runtime.package}`]
  const { status } = spawnSync('npm', args, { cwd: at, encoding: 'utf8' })
  if (status === 0) return join(at, 'node_modules/runtime', runtime.program)
  process.stdout.write(`smoke: ${runtime.name} is skipped: npm has no ${runtime.package} to give\n`)
  return null
}

function smoke(name, command, args) {
  const version = run(command, ['--version'], folder)
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
