import type { Command } from 'commander'
import { addServerFlags } from '../server/server-flags.ts'
import type { VerifyOptions } from './verify-work.ts'

const HELP = `
The request is a file with raw HTTP (request line, headers, empty line, body) or JSON with headers and body, as the inbox of
runbell dev lists it; or its parts, with --headers and --body, or as curl takes them with -H and -d. Without a file it is read from
standard input. Nothing is sent anywhere, and no secret is printed.

The secret is best given in RUNBELL_SECRET or a file: others on this machine can see the flags of a process. Several, separated by
commas, are tried one after the other.

A saved request is old, and a receiver would refuse it for that; --at sent judges it at the time it was sent. Where the signature is
wrong, what usually happens to bodies is undone and tried. With --ask-server or --sent nothing is guessed: the bytes are compared.

Examples:
  runbell verify request.http --secret-file ./secret --at sent
  curl -s http://127.0.0.1:41007/?limit=1 | RUNBELL_SECRET=whsec_… runbell verify --json
  runbell verify -H 'webhook-id: evt_…' -H 'webhook-timestamp: 1795…' -H 'webhook-signature: v1,…' -d @body.json
  runbell verify --headers headers.txt --body body.json --ask-server

Exit codes:
  0  it verifies
  1  it could not be read
  2  asked for wrongly
  5  it does not verify; standard output says why`

const collect = (value: string, before: string[] | undefined) => [...(before ?? []), value]

export function addVerifyCommand(program: Command, run: (work: Promise<number>) => Promise<void>): void {
  const command = program
    .command('verify')
    .description(
      'Say whether a request is signed rightly, and why not: reformatted, re-encoded, too old, another secret.',
    )
    .argument('[file]', 'The request as it came; - is standard input.')
    .option('--secret <secret>', 'What to verify with: whsec_… or whpk_…. (RUNBELL_SECRET)', collect)
    .option('--secret-file <file>', 'A file with it.')
    .option('--headers <file>', 'A file with the headers alone, as lines or JSON.')
    .option('--body <file>', 'A file with the body alone; - is standard input.')
    .option('-H, --header <line>', 'A header, such as "webhook-id: evt_…". Can be repeated.', collect)
    .option('-d, --data <text>', 'The body; @file reads it from a file, with its line breaks.')
    .option('--at <time>', 'Judge it at this time, RFC 3339, or at the time it was sent: sent. Default: now.')
    .option('--tolerance <seconds>', 'How far its timestamp may be from that. Default: 300.')
    .option('--prefix <name>', 'Its headers are <name>-id, <name>-timestamp and <name>-signature. Default: webhook.')
    .option('--sent <file>', 'The body as it was sent, to compare with.')
    .option('--ask-server', 'Compare with the bytes that the server has sent, by the delivery named in the headers.')
  addServerFlags(command)
    .option('--json', 'Print the verdict as one JSON line.')
    .addHelpText('after', HELP)
    .action((path: string | undefined, options: VerifyOptions) =>
      run(import('./verify-work.ts').then(({ verifyRequest }) => verifyRequest(path, options))),
    )
}
