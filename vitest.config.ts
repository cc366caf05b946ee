import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { conditions: ['runbell-source'] },
  ssr: { resolve: { conditions: ['runbell-source'] } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'tests/**/*.test.ts'],
    testTimeout: 20_000,
    execArgv: ['--conditions=runbell-source'],
  },
})
