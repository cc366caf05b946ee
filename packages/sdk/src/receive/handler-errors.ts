/** Thrown by a handler: not now. The sender is asked to come again after the delay; the event counts as not handled. */
export class RetryLater extends Error {
  /** Whole seconds, from 1 to a day: what `Retry-After` says. */
  readonly delaySeconds: number

  /** @param delaySeconds rounded up; at most a day counts. @default 60 */
  constructor(delaySeconds: number = 60, message = 'The handler asks to be called again later.') {
    super(message)
    this.name = 'RetryLater'
    this.delaySeconds = Math.min(86_400, Math.max(1, Math.ceil(Number.isFinite(delaySeconds) ? delaySeconds : 60)))
  }
}

/**
 * Thrown by a handler: never. The event is remembered as done and answered with 200, since coming again would change nothing;
 * it is reported to `onError`.
 */
export class Permanent extends Error {
  constructor(message = 'The handler cannot do this, now or later.', options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'Permanent'
  }
}
