import { printLine } from '../output.ts'
import type { CheckedType, InvalidType } from './check-catalog.ts'

/** What became of each type, with every change, its path and its reason. */
export function printChecked(checked: readonly CheckedType[]): void {
  for (const { type, verdict, changes } of checked) {
    printLine(`${verdict.padEnd(11)}  ${type}`)
    for (const { version, path, verdict: one, in_place: inPlace, reason } of changes) {
      const needs = one === 'additive' && !inPlace ? '; this takes a new version' : ''
      printLine(`  version ${version}, ${path === '' ? 'as a whole' : path}: ${one}, ${reason}${needs}`)
    }
  }
}

/** @param print where to: what is wrong is the result of some commands, and in the way of that of others */
export function printInvalid(invalid: readonly InvalidType[], print: (line: string) => void = printLine): void {
  for (const { type, errors } of invalid) {
    print(`invalid      ${type}`)
    for (const { path, message, suggested_fix: fix } of errors) print(`  ${path} ${message}. ${fix ?? ''}`.trimEnd())
  }
}
