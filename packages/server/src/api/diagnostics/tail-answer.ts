import type { Clock } from '../../core/clock.ts'
import type { StreamedAnswer } from '../http/answer.ts'

/** Who has not taken what was sent for so long is cut off. */
export const STALL_MS = 30_000

/**
 * Server-sent events from parts that are asked for one at a time, when the one before it has been taken: there is never more than one in
 * memory. Whoever takes none for 30 s is cut off.
 */
export function tailAnswer(
  parts: AsyncGenerator<string>,
  { clock, onEnd }: { clock: Pick<Clock, 'after'>; onEnd(): void },
): StreamedAnswer {
  let cancelWatch = () => {}
  let isOver = false
  const end = () => {
    cancelWatch()
    if (!isOver) onEnd()
    isOver = true
  }
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        cancelWatch()
        try {
          const part = await parts.next()
          if (part.done === true) {
            end()
            return controller.close()
          }
          controller.enqueue(Buffer.from(part.value, 'utf8'))
        } catch (error) {
          end()
          return controller.error(error)
        }
        cancelWatch = clock.after(STALL_MS, () => {
          end()
          controller.error(new Error('the reader does not read'))
        })
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  )
  return { status: 200, headers: { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' }, body }
}
