/** Types of a producer's own that every server of a test run has, in both modes; their data may be any object. */
export const OWN_TYPES: readonly string[] = Array.from({ length: 120 }, (_, index) => `acme.thing${index + 1}.happened`)

/** Registers them all. */
export async function registerOwnTypes(url: string, keys: readonly string[]): Promise<void> {
  const register = async (key: string, type: string) => {
    const response = await fetch(`${url}/v1/event-types`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        type,
        fact: 'A test did something.',
        schema: { type: 'object', 'x-data-class': 'public' },
        examples: [{ n: 1 }],
      }),
    })
    if (response.status !== 201) throw new Error(`registering ${type}: ${response.status} ${await response.text()}`)
  }
  await Promise.all(keys.flatMap((key) => OWN_TYPES.map((type) => register(key, type))))
}
