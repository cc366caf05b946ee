/*
 * Who may import whom. The arrows of the architecture, written as an allow-list: what is not here is forbidden.
 *
 *     contract <- catalog <- emit <- adapters ;  contract <- signing <- receive                       (sdk)
 *     contract, catalog <- core <- store (interface) <- { sqlite | postgres | memory }
 *     store, sqlite, postgres <- moving
 *     core, store <- accept ; core, store, signing <- delivery ; core, store, accept <- maintenance
 *     core, store <- catalog ; core <- generate
 *     core, store <- audit ;  core, store, signing <- secrets
 *     core, store <- diagnostics
 *     core, store, catalog, generate, accept, audit, diagnostics <- api
 *     everything <- runbell.ts <- cli, index, main
 */

export interface Zone {
  name: string
  files: RegExp
  /** Zones it may import, besides itself. */
  zones: readonly string[]
  /** Zones and packages of which it may import types only. */
  types?: readonly string[]
  /** npm packages and Node modules; `node:*` is every Node module but `node:sqlite`. */
  packages?: readonly string[]
}

const CONTRACT = 'sdk/contract'
const SERVER = 'packages/server/src/'
const SDK = 'packages/sdk/src/'

/** The first zone whose pattern fits is a file's zone. */
export const ZONES: readonly Zone[] = [
  { name: CONTRACT, files: inside(`${SDK}contract/`), zones: [] },
  { name: 'sdk/catalog', files: inside(`${SDK}catalog/`), zones: [CONTRACT] },
  { name: 'sdk/signing', files: inside(`${SDK}signing/`), zones: [CONTRACT] },
  { name: 'sdk/emit', files: inside(`${SDK}emit/`), zones: [CONTRACT, 'sdk/catalog'] },
  {
    name: 'sdk/node-spool',
    files: inside(`${SDK}node-spool/`),
    zones: [],
    types: ['sdk/emit'],
    packages: ['node:*'],
  },
  { name: 'sdk/adapters', files: inside(`${SDK}adapters/`), zones: [CONTRACT, 'sdk/catalog', 'sdk/emit'] },
  {
    name: 'sdk/receive',
    files: inside(`${SDK}receive/`),
    zones: [CONTRACT, 'sdk/signing'],
    types: ['sdk/catalog'],
  },
  {
    name: 'sdk/testing',
    files: inside(`${SDK}testing/`),
    zones: [CONTRACT, 'sdk/catalog', 'sdk/signing', 'sdk/emit', 'sdk/receive'],
  },
  {
    name: 'sdk',
    files: inside(`${SDK}index.ts`),
    zones: [CONTRACT, 'sdk/catalog', 'sdk/signing', 'sdk/emit', 'sdk/receive'],
  },
  { name: 'core', files: inside(`${SERVER}core/`), zones: [CONTRACT, 'sdk/catalog'] },
  { name: 'store', files: /^packages\/server\/src\/store\/[^/]+\.ts$/, zones: [CONTRACT, 'core'] },
  {
    name: 'store/sqlite',
    files: inside(`${SERVER}store/sqlite/`),
    zones: [CONTRACT, 'core', 'store'],
    packages: ['node:*', 'node:sqlite'],
  },
  {
    name: 'store/postgres',
    files: inside(`${SERVER}store/postgres/`),
    zones: [CONTRACT, 'core', 'store'],
    packages: ['node:*', 'pg'],
  },
  {
    name: 'store/memory',
    files: inside(`${SERVER}store/memory/`),
    zones: [CONTRACT, 'core', 'store'],
    packages: ['node:*'],
  },
  {
    name: 'moving',
    files: inside(`${SERVER}moving/`),
    zones: ['store', 'store/sqlite', 'store/postgres'],
    packages: ['node:*'],
  },
  { name: 'accept/slot-source', files: inside(`${SERVER}accept/slot-source.ts`), zones: [CONTRACT, 'core', 'store'] },
  {
    name: 'accept',
    files: inside(`${SERVER}accept/`),
    zones: [CONTRACT, 'core', 'store', 'accept/slot-source'],
  },
  {
    name: 'delivery',
    files: inside(`${SERVER}delivery/`),
    zones: [CONTRACT, 'sdk/signing', 'core', 'store', 'version'],
    types: ['accept/slot-source', 'secrets'],
    packages: ['node:*', 'undici'],
  },
  { name: 'generate', files: inside(`${SERVER}generate/`), zones: [CONTRACT, 'sdk/catalog', 'core'] },
  {
    name: 'catalog',
    files: inside(`${SERVER}catalog/`),
    zones: [CONTRACT, 'sdk/catalog', 'core', 'store'],
    packages: ['ajv', 'ajv-formats', 're2js'],
  },
  {
    name: 'maintenance',
    files: inside(`${SERVER}maintenance/`),
    zones: [CONTRACT, 'core', 'store', 'accept'],
    packages: ['node:*'],
  },
  {
    name: 'secrets',
    files: inside(`${SERVER}secrets/`),
    zones: [CONTRACT, 'sdk/signing', 'core', 'store'],
    packages: ['node:*'],
  },
  { name: 'diagnostics', files: inside(`${SERVER}diagnostics/`), zones: [CONTRACT, 'core', 'store'] },
  { name: 'audit', files: inside(`${SERVER}audit/`), zones: [CONTRACT, 'core', 'store'] },
  {
    name: 'api',
    files: inside(`${SERVER}api/`),
    zones: [
      ...[CONTRACT, 'sdk/catalog', 'core', 'store', 'catalog', 'generate', 'accept', 'audit', 'diagnostics'],
      ...['version'],
    ],
    types: ['pino', 'secrets'],
    packages: ['node:*', 'hono', '@hono/node-server', '@hono/zod-openapi', 'zod'],
  },
  { name: 'config', files: inside(`${SERVER}config/`), zones: [CONTRACT, 'core'], packages: ['node:*', 'zod'] },
  { name: 'version', files: inside(`${SERVER}version.ts`), zones: [] },
  { name: 'system', files: inside(`${SERVER}system.ts`), zones: ['core'], packages: ['node:*'] },
]

/** Where a server is put together, and what stands in front of it: these may import everything but tests. */
export const COMPOSITION =
  /^packages\/server\/src\/(?:runbell|index|main|admin-keys)\.ts$|^packages\/server\/src\/(?:cli|wiring)\//

/** Code that only tests run; source never imports it, and it may import what it likes. */
export const TEST_CODE =
  /\.test\.ts$|^packages\/[^/]+\/test\/|^packages\/server\/src\/(?:.+\/)?testing\/|^packages\/server\/src\/store\/conformance\/|^(?:tests|bench|scripts|examples)\//

/** One door for each danger: the files that may import a package. */
export const DOORS: Readonly<Record<string, RegExp>> = {
  undici: /\/delivery\/(?:transport[^/]*|connector|dial|connection-pool)\.ts$/,
}

/** What the arrows do not allow and we allow all the same, each with its reason. */
export const EXCEPTIONS: readonly { from: string; to: string; reason: string }[] = [
  {
    from: `${SERVER}api/endpoints/new-secret.ts`,
    to: 'sdk/signing',
    reason: 'makes an endpoint its secret; what a secret is, signing says',
  },
]

function inside(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.')}`)
}
