import { Command } from 'commander'
import { VERSION } from '../version.ts'
import { addAuditCommand } from './audit/audit.ts'
import { addBackupCommands } from './backup/backup.ts'
import { addCatalogCommand } from './catalog/catalog.ts'
import { addCompletionCommand } from './completion/completion.ts'
import { addConfigCommand } from './config.ts'
import { addDeadLettersCommand } from './dead-letters/dead-letters.ts'
import { addDevCommand } from './dev.ts'
import { addDoctorCommand } from './doctor/doctor.ts'
import { addKeysCommand } from './keys/keys.ts'
import { addMigrateCommand } from './migrate/migrate.ts'
import { addReplayCommand } from './replay/replay.ts'
import { addStartCommand } from './start.ts'
import { addTriggerCommand } from './trigger/trigger.ts'
import { addListenCommand } from './listen/listen.ts'
import { addRecordCommands } from './records/records.ts'
import { addStatusCommand } from './status/status.ts'
import { addTailCommand } from './tail/tail.ts'
import { addVerifyCommand } from './verify/verify.ts'

const HELP = `
Examples:
  runbell dev                                       try it out: test mode, an inbox, no configuration
  runbell dev --demo --once                         watch an agent's run being delivered, then end
  runbell start --port 4600                         production
  runbell keys create --scope publish --mode live   a key for a producer
  runbell trigger agent.run.completed               publish a sample; --story refund for a whole run
  runbell verify request.http --at sent             whether a request is signed rightly, and why not
  runbell listen 3000                               forward events of your server to this machine
  runbell tail                                      events and deliveries as they happen
  runbell deliveries --status pending --json        lists, as lines of JSON
  runbell dead-letters groups                       what could not be delivered, by endpoint and error
  runbell replay --error timeout                    send it again: says first what that would be
  runbell catalog check --against main.json         what your event types would change, for your CI
  runbell audit verify                              whether the log of changes is as it was made
  runbell backup /backups/today.db                  a copy of everything, while it runs
  runbell migrate --from runbell.db --to postgres://…   move everything to Postgres
  runbell doctor                                    whether everything a server needs is there
  runbell config                                    what is set, and where

Exit codes:
  0    done, or stopped by SIGTERM or Ctrl-C
  1    it could not be done; standard error says why in one sentence
  2    asked for wrongly: an unknown command or flag, or a setting that cannot be read
  3    catalog: breaking for those who receive the events
  4    catalog: a type cannot be registered as it is
  5    looked at, and not well: verify, trigger --canary, doctor, endpoints test
  130  ended at once by a second Ctrl-C (143: by a second SIGTERM)

Settings: flags go before environment variables. A command's --help names both.`

/** @param run is handed the work of the command that was asked for; it resolves with the exit code */
export function createProgram(run: (work: Promise<number>) => Promise<void>): Command {
  const program = new Command('runbell')
    .description('Self-hosted webhooks for AI agents.')
    .version(VERSION, '--version', 'Print the version.')
    .helpOption('-h, --help', 'Print help.')
    .exitOverride()
    .showHelpAfterError('Run it with --help to see what there is.')
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'runbell: ')) })
    .addHelpText('after', HELP)
  addDevCommand(program, run)
  addStartCommand(program, run)
  addTriggerCommand(program, run)
  addVerifyCommand(program, run)
  addListenCommand(program, run)
  addTailCommand(program, run)
  addRecordCommands(program, run)
  addDeadLettersCommand(program, run)
  addReplayCommand(program, run)
  addKeysCommand(program, run)
  addCatalogCommand(program, run)
  addAuditCommand(program, run)
  addBackupCommands(program, run)
  addMigrateCommand(program, run)
  addStatusCommand(program, run)
  addDoctorCommand(program, run)
  addConfigCommand(program, run)
  addCompletionCommand(program, run)
  return program
}
