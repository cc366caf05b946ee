import { existsSync } from 'node:fs'
import { SettingError } from '../../config/setting-spec.ts'
import type { Settings } from '../../config/settings.ts'
import type { Inspection } from '../../store/inspection.ts'
import { devMasterKeyFile, isExposed, openMasterKeys } from '../../wiring/master-keys.ts'
import { fail, ok, sentence, warn, type Check } from './check.ts'

/** An admin key is there, and the master key is the one the database was sealed with. */
export async function checkKeys(
  settings: Settings,
  command: 'dev' | 'start',
  inspection: Inspection | null,
): Promise<Check[]> {
  return [adminKeys(settings, command, inspection), await masterKey(settings, command, inspection)]
}

function adminKeys({ adminKeys: given }: Settings, command: 'dev' | 'start', inspection: Inspection | null): Check {
  const kept = inspection?.content?.adminKeys ?? 0
  const count = kept + given.length
  if (count > 0) return ok('keys', `${count} admin ${count === 1 ? 'key is' : 'keys are'} there`)
  if (command === 'dev') return ok('keys', 'runbell dev makes itself an admin key')
  const fix = 'Make one: runbell keys create --scope admin --mode live'
  return warn('keys', 'there is no admin key, so nobody can use the API', fix)
}

async function masterKey(settings: Settings, command: 'dev' | 'start', inspection: Inspection | null): Promise<Check> {
  const ids = inspection?.content?.masterKeyIds ?? []
  const { masterKey: inline, masterKeyFile, masterKeyCommand, dataDir } = settings
  const isOwn = command === 'dev' && inline === null && masterKeyFile === '' && masterKeyCommand === ''
  // Looking for it would make one.
  if (isOwn && !existsSync(devMasterKeyFile(dataDir))) {
    if (ids.length === 0) return ok('keys', 'runbell dev makes itself a master key')
    const fix = `Put the file back, or remove ${dataDir} and begin anew.`
    return fail('keys', `${devMasterKeyFile(dataDir)} is gone, and secrets in the database are sealed with it`, fix)
  }
  try {
    const keys = await openMasterKeys(settings, command)
    const missing = ids.filter((id) => keys.byId(id) === null)
    if (missing.length > 0) {
      const message = `the database is sealed with the master key ${missing.join(', ')}; configured is ${keys.ids.join(', ')}`
      return fail(
        'keys',
        message,
        'Configure the right one; while it is rotated, the old one stays behind the new one.',
      )
    }
    if (isExposed(settings)) {
      return warn('keys', 'others than this user can read the file with the master key', `chmod 600 ${masterKeyFile}`)
    }
    return ok('keys', ids.length === 0 ? 'the master key can be read' : 'the master key fits the database')
  } catch (error) {
    if (!(error instanceof SettingError)) throw error
    const at = error.message.indexOf(': ')
    if (at === -1) return fail('keys', error.message, 'See docs/secrets.md.')
    return fail('keys', error.message.slice(0, at), sentence(error.message.slice(at + 2)))
  }
}
