const STEP = 25

/** Says on standard error how far something long is; what is short goes without a word. */
export function createProgress(what: string, total: number): () => void {
  let done = 0
  return () => {
    done++
    if (total > STEP && (done % STEP === 0 || done === total)) {
      process.stderr.write(`${what} ${done} of ${total} types\n`)
    }
  }
}
