/** Stands for a verb that is not there yet. */
export function notWritten(verb: string): () => Promise<never> {
  return () => Promise.reject(new Error(`${verb} is not written yet`))
}
