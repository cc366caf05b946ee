import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { conditions: ['runbell-source'] },
  ssr: { resolve: { conditions: ['runbell-source'] } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'tests/**/*.test.ts'],
    exclude: ['tests/faults/**'],
    globalSetup: ['tests/support/run-folder.ts'],
    // Bounds for a busy machine: what waits longer waits for something that does not come.
    testTimeout: 40_000,
    hookTimeout: 40_000,
    // A worker runs file after file in the same modules: no file may leave anything behind that another one trips over.
    isolate: false,
    // Many tests wait for a process or a deadline, not for the processor: more workers than cores save half the time.
    maxWorkers: 3,
    execArgv: ['--conditions=runbell-source'],
  },
})
