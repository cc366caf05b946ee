import type { FailureOutcome, NotSentOutcome } from '../core/attempt-outcome.ts'

/** What an attempt that got no response came to: the receiver's failure, or a fault of our own. */
export type FailureVerdict =
  | { outcome: FailureOutcome['outcome']; fault?: never }
  | { fault: NotSentOutcome['fault']; outcome?: never }

/** An error with the code Node or undici gave it, if any. */
export type CodedError = Error & { code?: string | undefined }

/** Errors of this machine, not of the receiver. Only before the first byte (guarantee G13). */
const OWN_FAULT_CODES = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EAI_MEMORY'])

/** Ends the phase before a request is written; carries its verdict through undici to the attempt. */
export class ConnectFailure extends Error {
  /** Anything but undici's own `UND_ERR_INFO` and `UND_ERR_SOCKET`, on which a Client would connect again. */
  readonly code = 'RUNBELL_CONNECT'
  readonly verdict: FailureVerdict

  constructor(verdict: FailureVerdict, detail: string) {
    super(detail)
    this.verdict = verdict
  }
}

/** Whether an error is for want of file descriptors, buffers, memory or local ports. */
export function isOwnFault(error: CodedError, family: 4 | 6): boolean {
  const code = error.code ?? ''
  // EADDRNOTAVAIL is exhausted local ports over IPv4; over IPv6 it also means that IPv6 is switched off here
  // (`net.ipv6.conf.all.disable_ipv6`, common in containers), which no repeating will cure.
  return OWN_FAULT_CODES.has(code) || (code === 'EADDRNOTAVAIL' && family === 4)
}

/** Verdict on a name that did not resolve, apart from a resolver that is down altogether. */
export function classifyLookupError(error: CodedError): FailureVerdict {
  return OWN_FAULT_CODES.has(error.code ?? '') ? { fault: 'no_resources' } : { outcome: 'dns_failed' }
}

/**
 * Verdict on an error undici reported before any response header.
 *
 * - From the connector: as decided there.
 * - After the request was handed to the socket, everything is the receiver's: a reset, an end or garbage before the
 *   headers is `protocol_error`, never `not_sent` (the bytes may have arrived); a TLS alert is `tls_failed` (TLS 1.3
 *   reports a missing client certificate only now).
 * - Before that, a request undici would not build (an invalid header) is `protocol_error` as well.
 */
export function classifyError(error: CodedError): FailureVerdict {
  if (error instanceof ConnectFailure) return error.verdict
  return { outcome: error.code?.startsWith('ERR_SSL_') === true ? 'tls_failed' : 'protocol_error' }
}

/** One line for the operator: code, message, and that of the cause. */
export function describeError(error: CodedError): string {
  if (error instanceof ConnectFailure) return error.message
  const message = error.message === '' ? error.name : error.message
  const text = error.code === undefined || message.includes(error.code) ? message : `${error.code}: ${message}`
  return error.cause instanceof Error && error.cause !== error ? `${text} (${error.cause.message})` : text
}
