import { multiplyRows, type Multiplied } from './multiply-rows.ts'

/* Loads in a process of its own: what it leaves in memory must not be measured with the limits of the machine. */

const options = JSON.parse(process.argv[2] ?? '') as Omit<Multiplied, 'onProgress'>
multiplyRows({ ...options, onProgress: (done) => process.send?.(done) })
