import { readFileSync } from 'node:fs'

const SOURCE = 'packages/sdk/src/contract/vocabulary.ts'

/** The words and the sets of values, from the vocabulary's own comments and constants. */
export async function glossaryPage(root) {
  const text = readFileSync(new URL(SOURCE, root), 'utf8')
  const values = await import(new URL(SOURCE, root).href)
  const terms = readTerms(text)
  if (terms.length === 0) throw new Error(`${SOURCE} no longer opens with its list of words`)
  return `# Glossary

<!-- Made from ${SOURCE} by \`npm run generate\`; edit that file, not this one. -->

Code, API and documentation use these words and no synonyms.

| word | meaning |
| --- | --- |
${terms.map(({ word, meaning }) => `| **${word}** | ${meaning} |`).join('\n')}

## Values

${Object.entries(values)
  .filter(([, value]) => Array.isArray(value))
  .map(([name, list]) => section(name, list, text))
  .join('\n\n')}
`
}

/** Lines such as ` * - **event**: a fact, immutable`; a line that goes on is indented further. */
function readTerms(text) {
  const comment = text.slice(0, text.indexOf('*/')).replaceAll(/\n \* {3,}/g, ' ')
  return [...comment.matchAll(/^ \* - \*\*(?<word>[^*]+)\*\*: (?<meaning>.+)$/gm)].map(({ groups }) => groups)
}

function section(name, list, text) {
  const title = name.charAt(0) + name.slice(1).toLowerCase().replaceAll('_', ' ')
  const comment = commentAbove(name, text)
  const values = list.map((value) => `\`${value}\``).join(', ')
  return [`### ${title}`, ...(comment === null ? [] : [comment]), values].join('\n\n')
}

/** The one-line comment directly above a constant or above the type that is made from it. */
function commentAbove(name, text) {
  const constant = new RegExp(`/\\*\\* ([^\\n]+) \\*/\\nexport const ${name}\\b`).exec(text)
  const type = new RegExp(`/\\*\\* ([^\\n]+) \\*/\\nexport type \\w+ = \\(typeof ${name}\\)`).exec(text)
  return constant?.[1] ?? type?.[1] ?? null
}
