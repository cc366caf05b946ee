/** A part of a text. Offsets in UTF-16 units, `end` exclusive. */
export interface TextSpan {
  start: number
  end: number
}
