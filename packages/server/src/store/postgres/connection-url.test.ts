import { describe, expect, it } from 'vitest'
import { readConnectionUrl } from './connection-url.ts'
import { DatabaseUnusable } from './start-errors.ts'

describe('a connection URL', () => {
  it.each([
    ['postgres://u:p%40%2F%25@h:6/d', { host: 'h', port: 6, user: 'u', password: 'p@/%', database: 'd' }],
    ['postgres://[::1]/d', { host: '::1', port: 5432, user: 'postgres', password: undefined }],
    ['postgres://u@%2Fvar%2Frun/d', { host: '/var/run', tls: { mode: 'off', options: {} } }],
    ['postgres:///d?host=/var/run&port=6&user=a@b', { host: '/var/run', port: 6, user: 'a@b', database: 'd' }],
    ['postgres://u@h?connect_timeout=3', { database: 'u', connectTimeoutMs: 3000 }],
  ])('%s is read as libpq reads it', (url, settings) => {
    expect(readConnectionUrl(url)).toMatchObject(settings)
  })

  it.each([
    'postgres://u:s3%zz@h/d',
    'postgres://u:12/s3@h/d',
    'postgres://u:12?s3@h/d',
    'postgres://u:12#s3@h/d',
    'postgres://u:s3@h/d?port=x',
    'postgres://u:s3@h/d?connect_timeout=x',
    'postgres://u:s3@h/d?sslmode=allow',
    'postgres://u:s3@h/d?unknown=1',
  ])('%s is refused in a sentence without the password', (url) => {
    const read = () => readConnectionUrl(url)
    expect(read).toThrow(DatabaseUnusable)
    expect(read).not.toThrow(/s3/)
  })
})
