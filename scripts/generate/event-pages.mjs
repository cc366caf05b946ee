const SOURCE = 'Made from packages/sdk/src/catalog by `npm run generate`; edit that, not this file.'
const PAGES = 'docs/reference/events'
const SCHEMAS = 'docs/reference/schemas'
const TYPES = 'packages/server/test/generated'
/** Where a schema says it is found; a server serves the same under its own address. */
const BASE = 'https://runbell.example/schemas'

/** Everything that is made from the built-in catalog: pages, schemas, types. */
export async function eventPages(root) {
  const load = (name) => import(new URL(`packages/server/src/generate/${name}.ts`, root).href)
  const [entries, pages, schemas, types] = await Promise.all([
    load('catalog-entry').then(({ builtInEntries }) => builtInEntries()),
    load('event-page'),
    load('published-schema'),
    load('type-declarations'),
  ])
  const files = new Map()
  files.set(`${PAGES}/README.md`, pages.renderEventIndex(entries, SOURCE))
  for (const entry of entries) {
    const options = { source: SOURCE, schemaLink: (type, version) => `../schemas/${type}/${version}.json` }
    files.set(`${PAGES}/${entry.type}.md`, pages.renderEventPage(entry, options))
    for (const { version, schema } of entry.versions) {
      const path = `${entry.type}/${version}.json`
      const published = schemas.publishedSchema(entry.type, schema, `${BASE}/${path}`)
      files.set(`${SCHEMAS}/${path}`, `${JSON.stringify(published, null, 2)}\n`)
    }
  }
  const heading = [SOURCE, 'A test holds it against the types that the catalog itself has.']
  files.set(
    `${TYPES}/built-in-types.ts`,
    types.renderDeclarations(entries, { heading, union: 'BuiltInEvent', augments: null }),
  )
  return { files, folders: [PAGES, SCHEMAS, TYPES] }
}
