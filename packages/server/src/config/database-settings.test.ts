import { describe, expect, it } from 'vitest'
import { describeSettings } from './describe.ts'
import { loadSettings } from './load.ts'

const URL_TEXT = 'postgres://runbell:s3cret@db.example:5432/events?sslmode=require&password=other'

describe('the database', () => {
  it('is the embedded one unless a URL says otherwise', () => {
    const { settings } = loadSettings('start', {}, {})
    expect(settings).toMatchObject({
      databaseUrl: null,
      databasePool: 10,
      databaseSchema: 'runbell',
      roles: ['api', 'worker'],
    })
    const { settings: given } = loadSettings('start', { 'database-url': URL_TEXT, roles: 'worker' }, {})
    expect(given.databaseUrl?.reveal()).toBe(URL_TEXT)
    expect(given.roles).toEqual(['worker'])
  })

  it('shows no password where settings are shown', () => {
    const loaded = loadSettings('start', {}, { RUNBELL_DATABASE_URL: URL_TEXT })
    const shown = JSON.stringify(describeSettings(loaded))
    expect(shown).toContain('postgres://runbell@db.example:5432/events')
    expect(shown).not.toMatch(/s3cret|other/)
    expect(String(loaded.settings.databaseUrl)).not.toContain('s3cret')
  })

  it.each([
    [{ RUNBELL_DATABASE_URL: 'mysql://a:s3cret@b/c' }, /postgres:\/\//],
    [{ RUNBELL_DATABASE_URL: 'postgres://runbell:12/s3cret@db/events' }, /%2F/],
    [{ RUNBELL_DATABASE_URL: 'postgres://runbell:12?s3cret@db/events' }, /%3F/],
    [{ RUNBELL_DATABASE_URL: 'postgres://runbell:12#s3cret@db/events' }, /%23/],
    [{ RUNBELL_DATABASE_POOL: '1' }, /from 2 to 200/],
    [{ RUNBELL_DATABASE_POOL: 'ten' }, /from 2 to 200/],
    [{ RUNBELL_DATABASE_SCHEMA: 'drop table; --' }, /a-z 0-9/],
    [{ RUNBELL_ROLES: 'api,worker' }, /one of all, api, worker/],
    [{ RUNBELL_ROLES: 'worker' }, /RUNBELL_DATABASE_URL/],
  ])('%j is refused in a sentence without secrets', (environment, words) => {
    const load = () => loadSettings('start', {}, environment)
    expect(load).toThrow(words)
    expect(load).not.toThrow(/s3cret/)
  })
})
