import { VERSION } from '../../version.ts'
import { fail, ok, type Check } from './check.ts'

const NEEDED_NODE = 24

export function checkVersion(node: string): Check {
  if (Number.parseInt(node, 10) < NEEDED_NODE) {
    return fail('version', `Runbell ${VERSION} on Node ${node}`, `Install Node ${NEEDED_NODE} or newer.`)
  }
  return ok('version', `Runbell ${VERSION} on Node ${node}, ${process.platform} ${process.arch}`)
}
