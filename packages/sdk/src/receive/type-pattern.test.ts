import { expect, it } from 'vitest'
import { typeMatcher } from './index.ts'

it.each([
  ['agent.run.completed', 'agent.run.completed', true],
  ['agent.run.completed', 'agent.run.completed_late', false],
  ['agent.run.completed', 'agent.run', false],
  ['agent.run.*', 'agent.run.completed', true],
  ['agent.run.*', 'agent.run.step.completed', true],
  ['agent.run.*', 'agent.run', false],
  ['agent.run.*', 'agent.runs.completed', false],
  ['agent.*.completed', 'agent.task.completed', true],
  ['agent.*.completed', 'agent.completed', false],
  ['agent.*.completed', 'agent.a.b.completed', false],
  ['*.run.completed', 'agent.run.completed', true],
  ['*.*', 'acme.invoice.drafted', true],
  ['*.*', 'acme', false],
  ['*', 'agent.run.completed', true],
  ['*', 'runbell.ping', true],
])('%s matches %s: %s', (pattern, type, matches) => {
  expect(typeMatcher(pattern)(type)).toBe(matches)
})

it.each([
  '',
  '.',
  'agent.',
  '.agent',
  'Agent.run',
  'agent.ru*',
  'agent.**',
  'agent run',
  'a.b.c.d.e.f',
  'a'.repeat(101),
])('refuses the pattern %j, which would match nothing', (pattern) => {
  expect(() => typeMatcher(pattern)).toThrow(TypeError)
})
