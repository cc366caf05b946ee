/** One line of results on standard output; everything else goes to standard error. */
export function printLine(text: string): void {
  process.stdout.write(`${text}\n`)
}

let isTolerant = false

/** A reader that went away (`runbell … | head -1`) is no reason to fail. */
export function tolerateClosedPipes(): void {
  if (isTolerant) return
  isTolerant = true
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
  }
}
