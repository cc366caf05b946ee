import { stripVTControlCharacters, styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

/** Lines for people. On a terminal one more line at the end can be rewritten in place. */
export interface Screen {
  /** Whether the last line can be rewritten. */
  live: boolean
  line(text?: string): void
  /** Shows or rewrites the last line; `null` takes it away. Does nothing without a terminal. */
  status(text: string | null): void
  /** Coloured on a terminal, unless NO_COLOR is set. */
  paint(style: Style, text: string): string
}

const CLEAR_LINE = '\r\u001b[2K'

/** @param stream standard output or standard error */
export function createScreen(stream: NodeJS.WritableStream & { isTTY?: boolean; columns?: number }): Screen {
  const live = stream.isTTY === true
  let shown: string | null = null
  const write = (text: string) => void stream.write(text)
  const fit = (text: string) => {
    const plain = stripVTControlCharacters(text)
    // A terminal that does not know its width says 0.
    const width = (stream.columns || 80) - 1
    return plain.length <= width ? text : `${plain.slice(0, width - 1)}…`
  }
  return {
    live,
    line(text = '') {
      write(shown === null ? `${text}\n` : `${CLEAR_LINE}${text}\n${shown}`)
    },
    status(text) {
      if (!live || text === shown) return
      if (shown !== null) write(CLEAR_LINE)
      shown = text === null ? null : fit(text)
      if (shown !== null) write(shown)
    },
    paint: (style, text) => styleText(style, text, { stream }),
  }
}
