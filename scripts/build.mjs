/** Compiles both packages to their `dist` folders, as they are published. */
import './require-node.mjs'
import { spawnSync } from 'node:child_process'
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc')
/** Files beside the source that are read when the program runs. */
const DATA = ['store/sqlite/migrations', 'store/postgres/migrations']

// The server is compiled against the SDK's compiled types, so the order matters. One folder of the SDK knows Node.
if (compile('packages/sdk', 'tsconfig.build.json', 'tsconfig.build-node.json') && compile('packages/server')) {
  const server = join(ROOT, 'packages/server')
  for (const path of DATA) cpSync(join(server, 'src', path), join(server, 'dist', path), { recursive: true })
  process.stdout.write('build: packages/sdk/dist and packages/server/dist are written\n')
} else process.exitCode = 1

function compile(folder, ...projects) {
  const dist = join(ROOT, folder, 'dist')
  rmSync(dist, { recursive: true, force: true })
  for (const project of projects.length === 0 ? ['tsconfig.build.json'] : projects) {
    const { status } = spawnSync(process.execPath, [TSC, '-p', join(folder, project)], {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    if (status !== 0) {
      process.stdout.write(`build: ${folder} does not compile\n`)
      return false
    }
  }
  const files = globSync('**/*.js', { cwd: dist }).map((file) => join(dist, file))
  for (const file of files) renameUrls(file)
  const bound = files.filter((file) => readFileSync(file, 'utf8').includes('runbell-source'))
  for (const file of bound) process.stdout.write(`build: ${file} asks for source, which is not published\n`)
  return bound.length === 0
}

/** The compiler rewrites the endings of imports; those of `new URL('./worker.ts', import.meta.url)` are left to us. */
function renameUrls(file) {
  const text = readFileSync(file, 'utf8')
  const renamed = text.replaceAll(/(new URL\('\.[^']*)\.ts'(, import\.meta\.url\))/g, "$1.js'$2")
  if (renamed !== text) writeFileSync(file, renamed)
}
