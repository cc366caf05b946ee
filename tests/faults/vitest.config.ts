import { defineConfig } from 'vitest/config'
import base from '../../vitest.config.ts'

/** What needs root or a Debian package, and what takes long: `npm run faults`. */
export default defineConfig({
  ...base,
  root: '.',
  test: { ...base.test, include: ['tests/faults/**/*.test.ts'], exclude: [], testTimeout: 300_000, maxWorkers: 1 },
})
