import { expect, test } from 'vitest'
import { DatabaseUnusable, explainStart } from './start-errors.ts'

const PLACE = { user: 'runbell', database: 'events', host: 'db', port: 5432 }

test('a server that was given no password is told who asks for one', () => {
  // As the driver says it where Postgres asks by SCRAM.
  const error = new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string')
  const explained = explainStart(error, PLACE)
  expect(explained).toBeInstanceOf(DatabaseUnusable)
  expect(String(explained)).toMatch(/db:5432 asks for the password of user "runbell"/)
})
