import type { Command, Option } from 'commander'

/** A command as help, completion and documentation know it. */
export interface CommandNode {
  /** Such as `endpoints create`; empty: the program itself. */
  path: string
  description: string
  /** As usage shows them, such as `<port|url>`. */
  args: string[]
  /** What its arguments may be; empty: anything. */
  argChoices: string[]
  options: OptionNode[]
  children: CommandNode[]
}

export interface OptionNode {
  /** Such as `-o, --output <form>`. */
  flags: string
  /** `--output`. */
  long: string | null
  short: string | null
  takesValue: boolean
  /** What its value may be; empty: anything. */
  choices: readonly string[]
  description: string
}

/** Everything that a program says of itself. */
export function commandTree(command: Command, path: readonly string[] = []): CommandNode {
  return {
    path: path.join(' '),
    description: command.description(),
    args: command.registeredArguments.map((arg) => {
      const name = arg.variadic ? `${arg.name()}...` : arg.name()
      return arg.required ? `<${name}>` : `[${name}]`
    }),
    argChoices: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    options: command.options.filter(({ hidden }) => !hidden).map(optionNode),
    children: command.commands.map((child) => commandTree(child, [...path, child.name()])),
  }
}

function optionNode(option: Option): OptionNode {
  const { flags, long, short, description, argChoices } = option
  return {
    ...{ flags, description, long: long ?? null, short: short ?? null },
    takesValue: option.required || option.optional,
    choices: argChoices ?? [],
  }
}

/** It and all below it. */
export function allCommands(node: CommandNode): CommandNode[] {
  return [node, ...node.children.flatMap(allCommands)]
}

/** What can be written after a command, besides values: its commands, and its flags. */
export function wordsAfter({ children, options, argChoices }: CommandNode): string[] {
  const flags = options.flatMap(({ long, short }) => [long, short].filter((flag) => flag !== null))
  return [...children.map(({ path }) => path.split(' ').at(-1) as string), ...argChoices, ...flags, '--help']
}
