/** How long a condition may take on a busy machine. */
export const PATIENCE_MS = 15_000
const LOOK_EVERY_MS = 15

/**
 * Looks again and again until `holds`, and answers with what was seen then.
 * @param what is waited for, for the error
 * @throws Error with what was seen last when it does not come to hold in time
 */
export async function until<Seen>(
  what: string,
  look: () => Promise<Seen> | Seen,
  holds: (seen: Seen) => boolean,
  patienceMs: number = PATIENCE_MS,
): Promise<Seen> {
  const giveUpAt = performance.now() + patienceMs
  for (;;) {
    const seen = await look()
    if (holds(seen)) return seen
    if (performance.now() > giveUpAt) {
      throw new Error(`after ${patienceMs} ms still waiting until ${what}; seen last: ${JSON.stringify(seen)}`)
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}
