import type { Command } from 'commander'

export function addServerOptions(command: Command): Command {
  return command
    .option('--url <url>', 'A server that runs. (RUNBELL_URL, default http://127.0.0.1:4600)')
    .option('--key <key>', 'An API key with the scope manage, bound to no tenant; its mode decides. (RUNBELL_API_KEY)')
}
