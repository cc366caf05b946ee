import fc from 'fast-check'

const encoder = new TextEncoder()

export const space = fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\r'), maxLength: 3 })

const number = fc.oneof(
  fc.stringMatching(/^-?(0|[1-9][0-9]{0,21})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?$/),
  fc.constantFrom('0', '-0', '1E400', '-1e400', '1.0', '9007199254740993', '5e-324'),
)

const hex = (unit: number): string => unit.toString(16).padStart(4, '0')

const piece = fc.oneof(
  { weight: 6, arbitrary: fc.stringMatching(/^[ !#-[\]-~]{0,8}$/) },
  // Whole characters only: `JSON.stringify` of a lone half would be an escape that the scanner refuses.
  {
    weight: 2,
    arbitrary: fc.string({ unit: 'binary', maxLength: 4 }).map((text) => JSON.stringify(text).slice(1, -1)),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('\\n', '\\/', '\\"', '\\\\', '\\b', '\\f', '\\r', '\\t', '\\u0000', '\u007f'),
  },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xd7ff }).map((unit) => `\\u${hex(unit)}`) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.integer({ min: 0xd800, max: 0xdbff }), fc.integer({ min: 0xdc00, max: 0xdfff }))
      .map(([high, low]) => `\\u${hex(high)}\\u${hex(low).toUpperCase()}`),
  },
)

/** The source of a string, quotes included. */
const stringSource = fc.array(piece, { maxLength: 4 }).map((pieces) => `"${pieces.join('')}"`)

const name = fc.oneof(stringSource, fc.constantFrom('"__proto__"', '"constructor"', '"a"', '"\\u0061b"', '"1"', '""'))

const member = (value: fc.Arbitrary<string>) => fc.tuple(space, name, space, space, value, space)

/** Texts whose objects have members made by `members`. */
function textsWith(
  members: (value: fc.Arbitrary<string>) => fc.Arbitrary<[string, string, string, string, string, string][]>,
): fc.Arbitrary<string> {
  return fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, depthSize: 'medium' },
      fc.oneof(fc.constantFrom('true', 'false', 'null'), number, stringSource),
      fc
        .array(fc.tuple(space, tie('value'), space), { maxLength: 6 })
        .map((items) => `[${items.map((item) => item.join('')).join(',')}]`),
      members(tie('value')).map(
        (list) => `{${list.map(([a, key, b, c, value, d]) => `${a}${key}${b}:${c}${value}${d}`).join(',')}}`,
      ),
    ),
  })).value
}

/** JSON texts with random white space, escapes and number forms; names are unique in each object, halves are paired. */
export const jsonText = textsWith((value) =>
  fc.uniqueArray(member(value), { maxLength: 6, selector: (parts) => JSON.parse(parts[1]) as string }),
)

/** The same with names as they come, some of them equal. */
const repetitiveText = textsWith((value) => fc.array(member(value), { maxLength: 6 }))

/** The same as bytes, with white space around. */
export const jsonBytes = fc.tuple(space, jsonText, space).map((parts) => encoder.encode(parts.join('')))

const structural = [...'{}[]",:\\u0019aeEdDtfn+-. \n/'].map((character) => character.charCodeAt(0))
const anyByte = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...structural) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 255 }) },
  { weight: 1, arbitrary: fc.constantFrom(0x80, 0xbf, 0xc0, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff) },
)

const mutation = fc.record({ how: fc.constantFrom('flip', 'insert', 'delete', 'copy'), at: fc.nat(), byte: anyByte })

function mutate(bytes: Uint8Array, changes: readonly { how: string; at: number; byte: number }[]): Uint8Array {
  const list = [...bytes]
  for (const { how, at, byte } of changes) {
    const place = at % (list.length + 1)
    if (how === 'insert') list.splice(place, 0, byte)
    else if (how === 'delete') list.splice(place, 1 + (byte % 3))
    else if (how === 'copy') list.splice(place, 0, ...list.slice(place, place + (byte % 16)))
    else if (place < list.length) list[place] = byte
  }
  return Uint8Array.from(list)
}

/** JSON texts, also with equal names, with up to three places changed, put in, left out or repeated. */
export const damagedBytes = fc
  .tuple(fc.oneof(jsonText, repetitiveText), fc.array(mutation, { maxLength: 3 }))
  .map(([text, changes]) => mutate(encoder.encode(text), changes))
