import { describe, expect, test } from 'vitest'
import { checkDocumented, checkLock, checkVersions, type Manifest } from './check-packages.ts'
import { listFiles, readText } from './repository.ts'

const FOLDERS = ['', 'packages/sdk/', 'packages/server/']
const manifests = FOLDERS.map((folder) => JSON.parse(readText(`${folder}package.json`)) as Manifest)

describe('the packages', () => {
  test('hold exact versions', () => {
    expect(manifests.flatMap(checkVersions)).toEqual([])
  })

  test('say in DEPENDENCIES.md what each dependency is for', () => {
    expect(checkDocumented(manifests, readText('DEPENDENCIES.md'))).toEqual([])
  })

  test('the SDK depends on nothing', () => {
    expect(manifests.find(({ name }) => name === '@runbell/sdk')?.dependencies ?? {}).toEqual({})
  })

  test('carry the license', () => {
    const license = readText('LICENSE')
    expect(license).toContain('Apache License')
    expect(license).toContain('END OF TERMS AND CONDITIONS')
    for (const folder of FOLDERS) expect(readText(`${folder}LICENSE`), folder).toBe(license)
    for (const manifest of manifests) expect(manifest.license, manifest.name).toBe('Apache-2.0')
  })

  test('are bound to no registry', () => {
    expect(checkLock(readText('package-lock.json'))).toEqual([])
    expect(listFiles().filter((path) => path.endsWith('.npmrc') && readText(path).includes('registry'))).toEqual([])
  })
})

describe('a planted', () => {
  test.each(['^1.2.3', '~1.2.3', '1.x', '*', 'latest', '>=1.0.0', 'https://example.com/a.tgz'])(
    'version %s',
    (version) => {
      expect(checkVersions({ name: 'a', devDependencies: { b: version } })).toHaveLength(1)
    },
  )

  test('exact version is fine', () => {
    expect(checkVersions({ name: 'a', dependencies: { b: '1.2.3', c: '1.0.0-beta.2' } })).toEqual([])
  })

  test('dependency without a line, and line without a dependency', () => {
    expect(checkDocumented([{ name: 'a', dependencies: { b: '1.0.0' } }], '| `c` | x |\n')).toEqual([
      'b has no line in DEPENDENCIES.md',
      'c has a line in DEPENDENCIES.md and is no dependency',
    ])
  })

  test('registry in the lock file', () => {
    const packages = {
      'node_modules/a': { resolved: 'https://registry.example/a.tgz' },
      'node_modules/b': { resolved: 'packages/b', link: true },
    }
    expect(checkLock(JSON.stringify({ packages }))).toEqual([
      'node_modules/a is bound to https://registry.example/a.tgz',
    ])
  })
})
