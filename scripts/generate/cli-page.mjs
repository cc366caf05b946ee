import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const INTRODUCTION = `# The command line

<!-- Made by \`npm run generate\` from the program; change packages/server/src/cli, not this file. -->

\`runbell --help\` says the same, and so does \`--help\` after any command. Results are on standard output, everything else is on standard
error. Colour and keys are for terminals alone; \`NO_COLOR\` turns colour off. Commands that speak with a server take its address and
key from flags, from \`RUNBELL_URL\` and \`RUNBELL_API_KEY\`, or from what \`runbell dev\` has left in its data folder.
`

/** Commands, flags and exit codes, as the program itself tells them. */
export async function cliPage(root) {
  const cli = join(fileURLToPath(root), 'packages/server/src/cli')
  const { createProgram } = await import(join(cli, 'program.ts'))
  const { allCommands, commandTree } = await import(join(cli, 'completion/command-tree.ts'))
  const program = createProgram(async () => {})
  const nodes = allCommands(commandTree(program)).slice(1)
  // Some with commands below them do something themselves.
  const leaves = nodes.filter(
    ({ children, args, options }) => children.length === 0 || args.length + options.length > 0,
  )
  const table = leaves.map((node) => `| [\`${node.path}\`](#${anchor(node)}) | ${cell(node.description)} |`)
  const parts = [
    INTRODUCTION,
    ['| command | what it does |', '| --- | --- |', ...table].join('\n'),
    textAfter(program),
    ...leaves.map((node) => section(program, node)),
  ]
  return `${parts.join('\n').trimEnd()}\n`
}

function section(program, node) {
  const { path, args, description, options } = node
  const usage = ['runbell', path, ...(options.length > 0 ? ['[options]'] : []), ...args].join(' ')
  const flags = options.map(
    ({ flags: text, description: what }) => `| \`${text.replaceAll('|', '\\|')}\` | ${cell(what)} |`,
  )
  const rows = flags.length === 0 ? [] : ['', '| flag | meaning |', '| --- | --- |', ...flags]
  const lines = [`## ${heading(node)}`, '', `\`${usage}\``, '', description, ...rows, '']
  return lines.join('\n') + textAfter(find(program, path))
}

function heading({ path }) {
  return `runbell ${path}`
}

function anchor(node) {
  return heading(node).replaceAll(' ', '-')
}

function find(program, path) {
  return path.split(' ').reduce((command, name) => command.commands.find((child) => child.name() === name), program)
}

/** What help says after its flags: explanations, examples, exit codes. */
function textAfter(command) {
  let text = ''
  const writeOut = (part) => (text += part)
  command.configureOutput({ writeOut, getOutHelpWidth: () => 1000, getOutHasColors: () => false })
  command.outputHelp()
  const after = text.slice(text.indexOf(command.helpInformation()) + command.helpInformation().length).trim()
  return after === '' ? '' : `\n\`\`\`text\n${after}\n\`\`\`\n`
}

function cell(text) {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll(/`/g, "'")
}
