import { allCommands, wordsAfter, type CommandNode, type OptionNode } from './command-tree.ts'
import type { Shell } from './shells.ts'

/** A script that has a shell complete commands, flags and their values. It calls nothing: completing costs no start. */
export function completionScript(shell: Shell, tree: CommandNode): string {
  if (shell === 'fish') return fishScript(tree)
  return shell === 'bash' ? bashScript(tree) : zshScript(tree)
}

/** Cases of a shell's `case`, one for each command: the words that can follow. */
function wordCases(tree: CommandNode): string[] {
  return allCommands(tree).map((node) => `    '${node.path}') words='${wordsAfter(node).join(' ')}' ;;`)
}

/** Cases for flags whose values are known. */
function valueCases(tree: CommandNode): string[] {
  return allCommands(tree).flatMap(({ path, options }) =>
    options.flatMap(({ long, short, choices }) => {
      if (choices.length === 0) return []
      const names = [long, short].filter((flag) => flag !== null).map((flag) => `'${path} ${flag}'`)
      return [`    ${names.join('|')}) words='${choices.join(' ')}' ;;`]
    }),
  )
}

/** Flags that take a value which nobody knows: files are offered. */
function openFlags(tree: CommandNode): string {
  const flags = new Set<string>()
  for (const { options } of allCommands(tree)) {
    for (const { long, short, takesValue, choices } of options) {
      if (takesValue && choices.length === 0) for (const flag of [long, short]) if (flag !== null) flags.add(flag)
    }
  }
  return [...flags].toSorted().join('|')
}

/** The path of commands among the words before the cursor: a flag or a value makes no path that there is. */
function pathLoop(tree: CommandNode, words: string): string {
  const paths = allCommands(tree).map(({ path }) => `'${path}'`)
  return `  for word in ${words}; do
    next="\${path:+$path }$word"
    case "$next" in
      ${paths.slice(1).join('|')}) path="$next" ;;
    esac
  done`
}

function bashScript(tree: CommandNode): string {
  return `# Completion of runbell for bash: source <(runbell completion bash)
_runbell() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path='' word next words=''
${pathLoop(tree, '"${COMP_WORDS[@]:1:COMP_CWORD-1}"')}
  case "$path $previous" in
${valueCases(tree).join('\n')}
  esac
  if [ -z "$words" ]; then
    case "$previous" in
      ${openFlags(tree)}) COMPREPLY=($(compgen -f -- "$current")); return ;;
    esac
    case "$path" in
${wordCases(tree).join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -o filenames -F _runbell runbell
`
}

function zshScript(tree: CommandNode): string {
  return `#compdef runbell
# Completion of runbell for zsh: source <(runbell completion zsh)
_runbell() {
  local current="\${words[CURRENT]}" previous="\${words[CURRENT-1]}" path_='' word next list=''
${pathLoop(tree, '"${(@)words[2,CURRENT-1]}"').replaceAll('path=', 'path_=').replaceAll('$path ', '$path_ ').replaceAll('${path:', '${path_:')}
  case "$path_ $previous" in
${valueCases(tree).join('\n').replaceAll("words='", "list='")}
  esac
  if [ -z "$list" ]; then
    case "$previous" in
      ${openFlags(tree)}) _files; return ;;
    esac
    case "$path_" in
${wordCases(tree).join('\n').replaceAll("words='", "list='")}
    esac
  fi
  compadd -- \${=list} || _files
}
compdef _runbell runbell
`
}

function fishScript(tree: CommandNode): string {
  const lines = allCommands(tree).flatMap((node) => {
    const words = node.path === '' ? [] : node.path.split(' ')
    const inside = words.map((word) => `__fish_seen_subcommand_from ${word}`)
    const names = node.children.map(({ path }) => path.split(' ').at(-1) as string)
    const before = names.length === 0 ? [] : [`not __fish_seen_subcommand_from ${names.join(' ')}`]
    const commands = node.children.map(({ path, description }) =>
      fishLine([...inside, ...before], `-f -a ${path.split(' ').at(-1)} -d ${quoted(description)}`),
    )
    return [...commands, ...node.options.map((option) => fishLine(inside, fishOption(option)))]
  })
  return `# Completion of runbell for fish: runbell completion fish | source\n${lines.join('\n')}\n`
}

function fishLine(conditions: readonly string[], rest: string): string {
  const when = conditions.length === 0 ? '' : ` -n '${conditions.join('; and ')}'`
  return `complete -c runbell${when} ${rest}`
}

function fishOption({ long, short, takesValue, choices, description }: OptionNode): string {
  const names = [long === null ? '' : `-l ${long.slice(2)}`, short === null ? '' : `-s ${short.slice(1)}`]
  const value = choices.length > 0 ? `-x -a '${choices.join(' ')}'` : takesValue ? '-r' : ''
  return [...names, value, `-d ${quoted(description)}`].filter((part) => part !== '').join(' ')
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
