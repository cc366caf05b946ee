import type { Store } from '../src/store/store.ts'

type Verb = Exclude<keyof Store, 'close'>

/**
 * A store that has only the verbs a test gives it; any other is a failure of the test. `calls` holds what was asked,
 * in order.
 */
export function scriptedStore(verbs: Partial<Store>): { store: Store; calls: { verb: Verb; input: unknown }[] } {
  const calls: { verb: Verb; input: unknown }[] = []
  const store = new Proxy({} as Store, {
    get: (_, name) => (input: never) => {
      const verb = name as Verb
      calls.push({ verb, input })
      const run = verbs[verb] as ((input: never) => unknown) | undefined
      if (run === undefined) throw new Error(`the test has no ${verb}`)
      return run(input)
    },
  })
  return { store, calls }
}
