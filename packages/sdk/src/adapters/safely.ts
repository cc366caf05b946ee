/** Reporting is worth less than the agent's work: what fails in it is said, and goes no further. */
export function safely(work: () => void): void {
  try {
    work()
  } catch (error) {
    // oxlint-disable-next-line no-console -- nobody else hears of it
    console.warn('Runbell could not tell an event:', error instanceof Error ? error.name : '')
  }
}
