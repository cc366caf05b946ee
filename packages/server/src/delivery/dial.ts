import { Socket } from 'node:net'
import type { Timing } from './deadline.ts'
import type { CodedError } from './transport-failure.ts'

/** An address that was vetted and may be dialled. */
export interface VettedAddress {
  address: string
  family: 4 | 6
}

/** Why one address could not be reached. */
export interface DialError extends VettedAddress {
  error: CodedError
}

/** After this time without a connection the next address is tried beside the first (RFC 8305, section 5). */
export const NEXT_ADDRESS_AFTER_MS = 250

/** A name with more addresses than this is dialled at the first ones only. */
export const MAX_ADDRESSES_DIALLED = 8

/**
 * Opens a TCP connection to the first of the addresses that answers, in order: the next one starts when one failed
 * or after 250 ms. Calls back once, with the socket or with every address's error; the function it returns takes
 * everything back, half-open sockets included.
 */
export function dial(
  addresses: readonly VettedAddress[],
  port: number,
  after: Timing['after'],
  callback: (socket: Socket | null, errors: readonly DialError[]) => void,
): () => void {
  const queue = addresses.slice(0, MAX_ADDRESSES_DIALLED)
  const open = new Set<Socket>()
  const errors: DialError[] = []
  let cancelTimer: (() => void) | null = null
  let ended = false

  const end = (winner: Socket | null): void => {
    ended = true
    cancelTimer?.()
    for (const socket of open) {
      if (socket !== winner) socket.destroy()
    }
  }
  const startNext = (): void => {
    cancelTimer?.()
    cancelTimer = null
    const target = queue.shift()
    if (ended || target === undefined) return
    const socket = new Socket().setNoDelay(true)
    open.add(socket)
    const onError = (error: CodedError): void => {
      open.delete(socket)
      errors.push({ ...target, error })
      if (ended) return
      if (queue.length > 0) startNext()
      else if (open.size === 0) {
        end(null)
        callback(null, errors)
      }
    }
    socket.on('error', onError)
    socket.once('connect', () => {
      if (ended) return
      end(socket)
      socket.off('error', onError)
      callback(socket, errors)
    })
    if (queue.length > 0) cancelTimer = after(NEXT_ADDRESS_AFTER_MS, startNext)
    try {
      socket.connect({ host: target.address, port, family: target.family, autoSelectFamily: false })
    } catch (error) {
      socket.destroy(error as CodedError)
    }
  }
  startNext()
  return () => {
    if (!ended) end(null)
  }
}
