import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { runCli, temporaryFolder } from '../testing/cli-process.ts'

test('the demonstration ends with 0, after a dead letter, its replay with the same bytes, and a duplicate', async () => {
  const folder = temporaryFolder()
  const { exit, stdout, stderr } = runCli(['dev', '--demo', '--once'], { TMPDIR: folder })
  expect(await exit, stderr.all.join('\n')).toBe(0)
  const text = stdout.all.join('\n')
  expect(text).toMatch(/published +agent\.run\.completed +no\. 9, 3 deliveries/)
  expect(text.match(/support-desk +agent\.approval\.requested +[123]\/3 +(503|200) +signature ok/g)).toHaveLength(3)
  expect(text).toMatch(/next attempt in \d\.\d s/)
  expect(text).toContain('Dead letter: old-crm did not take agent.run.completed')
  expect(text).toMatch(/old-crm is repaired\. POST \/v1\/deliveries\/dlv_test_\w+\/replay\n.*4 +200 +signature ok +new/)
  const digests = [...text.matchAll(/SHA-256 of .* ([0-9a-f]{64})$/gm)].map(([, digest]) => digest)
  expect(new Set(digests).size).toBe(1)
  expect(text).toMatch(/billing +agent\.run\.completed +2 +200 +signature ok +duplicate/)
  expect(Math.max(...stdout.all.map((line) => line.length))).toBeLessThanOrEqual(100)
  expect(readdirSync(folder)).toEqual([])
})
