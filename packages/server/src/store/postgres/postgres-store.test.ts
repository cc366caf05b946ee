import { afterAll, describe } from 'vitest'
import { PostgresHarness } from '../../../test/postgres-harness.ts'
import { describeStore } from '../conformance/index.ts'

const harness = new PostgresHarness()
afterAll(() => harness.close())

// Until every verb is there.
describe.runIf(process.env['RUNBELL_TEST_POSTGRES'] === '1')('conformance', () => {
  describeStore('Postgres', () => harness.make(), { leases: true })
})
