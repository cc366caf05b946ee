import { Argument, type Command } from 'commander'
import { EXIT } from '../cli-error.ts'
import { SHELLS, type Shell } from './shells.ts'

const HELP = `
Examples:
  source <(runbell completion bash)           in ~/.bashrc
  source <(runbell completion zsh)            in ~/.zshrc, after compinit
  runbell completion fish | source            in ~/.config/fish/config.fish`

export function addCompletionCommand(program: Command, run: (work: Promise<number>) => Promise<void>): void {
  program
    .command('completion')
    .description('Print a script that has a shell complete commands and flags.')
    .addArgument(new Argument('<shell>', 'Which shell.').choices(SHELLS))
    .addHelpText('after', HELP)
    .action((shell: Shell) => run(print(program, shell)))
}

/** Loaded when it is needed: help and usage errors need not wait for it. */
async function print(program: Command, shell: Shell): Promise<number> {
  const [{ completionScript }, { commandTree }] = await Promise.all([
    import('./completion-scripts.ts'),
    import('./command-tree.ts'),
  ])
  process.stdout.write(completionScript(shell, commandTree(program)))
  return EXIT.ok
}
