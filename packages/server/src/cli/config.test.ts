import { expect, test } from 'vitest'
import { runCli } from './testing/cli-process.ts'

test('config says what is set and where, and shows no secret', async () => {
  const { exit, stdout } = runCli(['config', '--json', '--port', '1234'], {
    RUNBELL_ADMIN_KEYS: 'rb_live_secret',
    RUNBELL_HOST: '::1',
  })
  expect(await exit).toBe(0)
  expect(stdout.all).toHaveLength(1)
  const { settings } = JSON.parse(stdout.all[0] as string) as { settings: unknown[] }
  expect(settings).toContainEqual({ name: 'RUNBELL_PORT', flag: '--port', value: '1234', origin: 'flag' })
  expect(settings).toContainEqual({ name: 'RUNBELL_HOST', flag: '--host', value: '::1', origin: 'environment' })
  expect(settings).toContainEqual({ name: 'RUNBELL_ADMIN_KEYS', flag: null, value: '•••', origin: 'environment' })
  expect(settings).toContainEqual({
    name: 'RUNBELL_RETRY_SCHEDULE',
    flag: '--retry-schedule',
    value: '5s,1m,5m,30m,2h,5h,10h,14h,20h,1d',
    origin: 'default',
  })
})

test('--help names the exit codes', async () => {
  const { exit, stdout } = runCli(['--help'])
  expect(await exit).toBe(0)
  expect(stdout.all.join('\n')).toMatch(/Exit codes:\n +0 .*\n +1 .*\n +2 .*\n +3 .*\n +4 .*\n +5 .*\n +130 /)
})
