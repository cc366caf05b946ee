import { ATTEMPT_OUTCOMES } from '@runbell/sdk/contract'
import { expect, it } from 'vitest'
import { DIAGNOSES, diagnose } from './diagnosis.ts'

it('says nothing of what is in flight or delivered', () => {
  expect(diagnose(null, null)).toBeNull()
  expect(diagnose('delivered', 204)).toBeNull()
})

it.each(ATTEMPT_OUTCOMES.filter((outcome) => outcome !== 'delivered' && outcome !== 'http_error'))(
  'explains %s',
  (outcome) => {
    expect(diagnose(outcome, null)).toEqual({ ...DIAGNOSES[outcome], url: `/diagnoses/${outcome}` })
  },
)

it.each([
  [400, 'http_400'],
  [401, 'http_401_403'],
  [403, 'http_401_403'],
  [404, 'http_404'],
  [405, 'http_405'],
  [410, 'http_410'],
  [413, 'http_413'],
  [415, 'http_415'],
  [418, 'http_other'],
  [429, 'http_429'],
  [500, 'http_5xx'],
  [503, 'http_502_503_504'],
  [599, 'http_5xx'],
  [600, 'http_other'],
  [100, 'http_other'],
])('explains status %i as %s', (status, name) => {
  const diagnosis = diagnose('http_error', status)
  expect(diagnosis?.url).toBe(`/diagnoses/${name}`)
  expect(diagnosis?.title).toContain(`status ${status}`)
})

it('has words for every status', () => {
  for (let status = 100; status < 600; status++) expect(diagnose('http_error', status)?.fix.length).toBeGreaterThan(10)
})
