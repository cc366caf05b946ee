/** Endpoints of kind `relay`, which are there while somebody listens (details 19). */
export interface RelayVerbs {
  /**
   * Notes that somebody listens for these endpoints, or did until now. It is no change of their configuration. A time before the one on
   * record changes nothing.
   */
  noteListeners(input: { endpointIds: string[]; now: number }): Promise<void>
  /**
   * Deletes endpoints nobody has listened for since `before`, longest alone first; what they have pending ends `cancelled`
   * (`listener_gone`) with `cancelHeld`. Puts it on record.
   */
  dropRelays(input: {
    before: number
    now: number
    limit: number
  }): Promise<{ endpointIds: string[]; configVersion: number }>
}
