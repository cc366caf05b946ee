import { chmod, chown, lstat, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { generateMaster } from '../../packages/server/src/cli/keys/master-key.ts'
import { newMasterKey } from '../../packages/server/src/wiring/master-keys.ts'

let folder: string
let file: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runbell-prepend-'))
  file = join(folder, 'master.key')
  await writeFile(file, newMasterKey())
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('keys generate-master --prepend-to, run by root', () => {
  test.skipIf(process.getuid?.() !== 0)('leaves the file to the user and group of the server', async () => {
    await chown(file, 1234, 1234)
    await chmod(file, 0o640)
    await generateMaster({ prependTo: file })
    const { uid, gid, mode } = await stat(file)
    expect({ uid, gid, mode: (mode & 0o777).toString(8) }).toEqual({ uid: 1234, gid: 1234, mode: '640' })
  })

  test('goes through a link to the file that is meant', async () => {
    const link = join(folder, 'link.key')
    await symlink(file, link)
    await generateMaster({ prependTo: link })
    expect((await lstat(link)).isSymbolicLink()).toBe(true)
    expect((await readFile(file, 'utf8')).trim().split('\n')).toHaveLength(2)
  })
})
