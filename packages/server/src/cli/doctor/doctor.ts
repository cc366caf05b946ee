import type { Command } from 'commander'
import { addSettingFlags, settingFlags } from '../setting-flags.ts'
import type { DoctorOptions } from './doctor-work.ts'

const HELP = `
Looks, and changes nothing; a server may run meanwhile. Settings are those of runbell start, from flags and the environment; in a
folder of runbell dev they are judged as it does.

  version   Runbell and Node
  database  opens, its schema, who uses it; with Postgres the privileges of the user too
  clock     against the database, and against what was put on record there
  keys      an admin key is there, and the master key is the one the database was sealed with
  egress    hosts of endpoints may be reached and resolve; nothing connects to them
  disk      free space, against the mark below which nothing is accepted

Examples:
  runbell doctor
  runbell doctor --data-dir /var/lib/runbell --master-key-file /etc/runbell/master.key --json
  RUNBELL_DATABASE_URL=postgres://… runbell doctor

Exit codes:
  0  everything is well, or nothing worse than a warning
  1  it could not be looked at
  2  asked for wrongly, or a setting that cannot be read
  5  something fails; standard output says what, and what to do`

export function addDoctorCommand(program: Command, run: (work: Promise<number>) => Promise<void>): void {
  const command = program
    .command('doctor')
    .description('Look at everything a server needs: database, clock, keys, egress, disk, versions.')
  addSettingFlags(command, 'start')
    .option('--deep', 'Read every page of the embedded database.')
    .option('--json', 'Print what was found as one JSON line.')
    .addHelpText('after', HELP)
    .action((options: DoctorOptions) =>
      run(
        import('./doctor-work.ts').then(({ examine }) =>
          examine(settingFlags(options as Record<string, unknown>), options),
        ),
      ),
    )
}
