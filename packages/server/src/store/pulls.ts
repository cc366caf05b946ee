/** A delivery as whoever fetches it gets it. */
export interface PulledRow {
  position: number
  deliveryId: string
  eventId: string
  /** Of the attempt that it will be, once it is committed. */
  number: number
  body: Uint8Array
}

/**
 * Endpoints of kind `pull`, whose deliveries wait in a line until they are fetched and committed (details 18).
 *
 * Each delivery has a place in the line of its endpoint: that of its event in the order of commits, or after a replay one behind all there
 * are. What commits late has a place behind what could be read before, so nothing is ever passed over (details 22).
 */
export interface PullVerbs {
  /**
   * The first of the line, in order: at most `limit`, and no more than `maxBytes` of bodies beyond the first. What is past its deadline or
   * may not be sent any more is left out; others end it. Changes nothing. `place`: of the last one; `null`: there is none.
   */
  pullDeliveries(input: {
    endpointId: string
    now: number
    limit: number
    maxBytes: number
  }): Promise<{ rows: PulledRow[]; place: number | null }>
  /**
   * Ends what still waits up to this place as `delivered`, each with an attempt on record that says so. Returns how many; what has
   * ended stays as it is, so that an old place changes nothing.
   */
  commitPulled(input: { endpointId: string; place: number; now: number }): Promise<number>
}
