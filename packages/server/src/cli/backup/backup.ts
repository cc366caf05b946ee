import type { Command } from 'commander'
import type { BackupOptions, RestoreOptions } from './backup-work.ts'

const BACKUP_HELP = `
A server may be running and busy: the copy is what was committed at one moment. It is one file, checked, and readable by this user
only. It holds payloads; secrets are in it as they are in the database. Keep the master key somewhere else: without it nobody,
you included, can use the secrets in a backup.

Examples:
  runbell backup                                   into runbell-backup-<time>.db
  runbell backup /backups/today.db --force         in the place of yesterday's`

const RESTORE_HELP = `
No server may be running on the data folder. What is pending in the backup is sent after the next start: receivers may get it again,
under the same webhook-id. Events that were accepted after the backup are not in it; their ids are not given to anything else.

Examples:
  runbell restore /backups/today.db
  runbell restore /backups/today.db --data-dir /var/lib/runbell --force`

export function addBackupCommands(program: Command, run: (work: Promise<number>) => Promise<void>): void {
  withDataDir(program.command('backup').description('Copy the embedded database into one file, also while it is used.'))
    .argument('[file]', 'Where to. Default: runbell-backup-<time>.db')
    .option('--force', 'Replace the file if it is there.')
    .option('--json', 'Print what was made as one JSON line.')
    .addHelpText('after', BACKUP_HELP)
    .action((file: string | undefined, options: BackupOptions) =>
      run(work().then(({ makeBackup }) => makeBackup(file, options))),
    )
  withDataDir(program.command('restore').description('Put a backup in the place of the embedded database.'))
    .argument('<file>', 'What runbell backup has made.')
    .option('--force', 'Put a database that is there aside.')
    .option('--accept-clock', "This machine's clock is right, though the backup is older than 60 days by it.")
    .option('--json', 'Print what was done as one JSON line.')
    .addHelpText('after', RESTORE_HELP)
    .action((file: string, options: RestoreOptions) =>
      run(work().then(({ restoreBackup }) => restoreBackup(file, options))),
    )
}

function withDataDir(command: Command): Command {
  return command.option('--data-dir <value>', 'Folder of the embedded database. (RUNBELL_DATA_DIR, default ./.runbell)')
}

/** Loaded when it is needed: help and usage errors need not wait for it. */
const work = () => import('./backup-work.ts')
