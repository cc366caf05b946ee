/** What a producer wrote, as text and nothing else: no markup of Markdown or HTML survives. */
export function text(value: string): string {
  return value
    .replaceAll(/\p{Bidi_Control}/gu, '')
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\\`*[\]!|~#$]|(?<!\w)_|_(?!\w)/g, String.raw`\$&`)
    .replace(/^[-+=]|(?<=^\d+)[.)]/, String.raw`\$&`)
}

/** A name as code, whatever is in it. */
export function code(value: string): string {
  return /^[\w.[\]/-]+$/.test(value) ? `\`${value}\`` : `<code>${text(value)}</code>`
}

/** JSON in a fence longer than any in its texts. */
export function fenced(value: unknown): string {
  const escape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  const json = JSON.stringify(value, null, 2).replaceAll(/[\p{Bidi_Control}\p{Zl}\p{Zp}]/gu, escape)
  const longest = Math.max(2, ...[...json.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}json\n${json}\n${fence}`
}
