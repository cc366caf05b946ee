import { describeDiagnosticStore } from '../conformance/diagnostics.ts'
import { createMemoryDiagnostics } from './diagnostics.ts'

describeDiagnosticStore('memory', async () => {
  const store = createMemoryDiagnostics()
  return { store, cleanup: async () => {} }
})
