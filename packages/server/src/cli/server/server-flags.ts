import type { Command } from 'commander'

/** Which server a command asks. */
export function addServerFlags(command: Command): Command {
  return command
    .option('--url <url>', 'A server that runs. (RUNBELL_URL; default that of runbell dev, else http://127.0.0.1:4600)')
    .option('--key <key>', 'An API key of it; its mode decides. (RUNBELL_API_KEY; default that of runbell dev)')
    .option('--data-dir <value>', 'Where runbell dev keeps its key. (RUNBELL_DATA_DIR, default ./.runbell)')
}
