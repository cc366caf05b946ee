import { afterAll } from 'vitest'
import { PostgresHarness } from '../../../test/postgres-harness.ts'
import { describeStore } from '../conformance/index.ts'

const harness = new PostgresHarness()
afterAll(() => harness.close())

describeStore('Postgres', () => harness.make(), { leases: true })
