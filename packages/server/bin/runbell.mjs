#!/usr/bin/env node
// Nothing is imported statically: an older Node has to get as far as the sentence that says what is needed.

const NEEDED = 24
/** In a checkout this makes the packages of the repository resolve to their source. */
const FROM_SOURCE = '--conditions=runbell-source'

const { existsSync } = await import('node:fs')
const { fileURLToPath } = await import('node:url')

const source = new URL('../src/main.ts', import.meta.url)
const isCheckout = existsSync(source)
const flags = isCheckout ? [FROM_SOURCE] : []

if (Number.parseInt(process.versions.node, 10) < NEEDED) {
  const node = process.env.RUNBELL_STARTED_AGAIN === '1' ? null : findBundledNode()
  if (node === null || !(await startOn(node))) {
    process.stderr.write(`Runbell needs Node ${NEEDED} or newer; this is Node ${process.versions.node}.\n`)
    process.exitCode = 1
  }
} else if (isCheckout && !process.execArgv.includes(FROM_SOURCE)) {
  await keepCompiledCode()
  await startFromSource()
} else {
  await keepCompiledCode()
  delete process.env.RUNBELL_STARTED_AGAIN
  const { main } = await import(isCheckout ? source.href : new URL('../dist/main.js', import.meta.url).href)
  const code = await main(process.argv.slice(2))
  if (typeof code === 'number') process.exitCode = code
}

async function keepCompiledCode() {
  const cache = await import('./compile-cache.mjs')
  cache.keepCompiledCode()
}

/**
 * Starts over with the flag, because worker threads take conditions from the flags of their process, not from hooks of
 * the main thread. `execve` keeps the process id, so signals and supervisors see one process; Windows has none.
 */
async function startFromSource() {
  if (process.platform === 'win32' || process.execve === undefined) await startOn(process.execPath)
  else process.execve(process.execPath, [process.execPath, ...commandLine()], process.env)
}

function commandLine() {
  return [...flags, ...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2)]
}

/** Runs the same command on another Node and ends as it ends. False where that Node does not start. */
async function startOn(node) {
  const { spawn } = await import('node:child_process')
  const env = { ...process.env, RUNBELL_STARTED_AGAIN: '1' }
  const child = spawn(node, commandLine(), { stdio: 'inherit', env })
  const stopPassing = passSignals(child)
  return await new Promise((resolve) => {
    child.once('error', () => {
      stopPassing()
      resolve(false)
    })
    child.once('exit', (code, signal) => {
      stopPassing()
      if (signal === null) process.exitCode = code
      else process.kill(process.pid, signal)
      resolve(true)
    })
  })
}

/** A terminal sends Ctrl-C to both processes itself; once is enough. */
function passSignals(child) {
  const listeners = ['SIGTERM', 'SIGHUP', 'SIGINT'].map((signal) => {
    const pass = () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    }
    process.on(signal, pass)
    return () => process.off(signal, pass)
  })
  return () => {
    for (const stop of listeners) stop()
  }
}

/** A checkout brings its own Node, in the package `node`; so may the project that Runbell is installed in. */
function findBundledNode() {
  const name = process.platform === 'win32' ? 'node.exe' : 'node'
  const places = ['../../../node_modules/node', '../../node']
  const paths = places.map((place) => new URL(`${place}/bin/${name}`, import.meta.url))
  return paths.map((url) => fileURLToPath(url)).find((path) => existsSync(path)) ?? null
}
