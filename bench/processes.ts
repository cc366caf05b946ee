import { fork } from 'node:child_process'
import { once } from 'node:events'

/** Another process that is part of a measurement: it answers each message with one, in their order. */
export interface Process {
  readonly pid: number
  /** The next message. @throws Error when the process ends instead */
  hear<Answer>(): Promise<Answer>
  ask<Answer>(question: object | boolean): Promise<Answer>
  /** Resolves when it ends by itself. @throws Error when it does not end well */
  readonly ended: Promise<void>
  stop(): Promise<void>
}

interface ProcessOptions {
  /** Where its standard error goes. @default ours */
  stderr?: number | 'inherit'
  /** It can be told to collect garbage before its memory is looked at. */
  exposeGc?: boolean
}

export function startProcess(path: string, args: readonly string[], options: ProcessOptions = {}): Process {
  const { stderr = 'inherit', exposeGc = false } = options
  const child = fork(path, args, {
    serialization: 'advanced',
    execArgv: [...process.execArgv, ...(exposeGc ? ['--expose-gc'] : [])],
    stdio: ['ignore', 'inherit', stderr, 'ipc'],
  })
  const ended = once(child, 'exit').then(([code, signal]) => {
    if (code !== 0) throw new Error(`${path} ended with ${signal ?? code}`)
  })
  // Whoever has something to ask of it is told so.
  ended.catch(() => {})
  // What is heard before anybody listens waits here.
  const messages: unknown[] = []
  const listeners: { resolve(message: unknown): void; reject(error: Error): void }[] = []
  child.on('message', (message) => {
    const listener = listeners.shift()
    if (listener === undefined) messages.push(message)
    else listener.resolve(message)
  })
  child.on('exit', (code, signal) => {
    const error = new Error(`${path} ended with ${signal ?? code}`)
    for (const { reject } of listeners.splice(0)) reject(error)
  })
  const hear = <Answer>() =>
    new Promise<Answer>((resolve, reject) => {
      if (messages.length > 0) return resolve(messages.shift() as Answer)
      if (child.exitCode !== null || child.signalCode !== null) return reject(new Error(`${path} has ended`))
      listeners.push({ resolve, reject })
    })
  return {
    pid: child.pid ?? 0,
    hear,
    ended,
    ask(question) {
      const answer = hear<never>()
      child.send(question)
      return answer
    },
    async stop() {
      child.kill('SIGKILL')
      await ended.catch(() => {})
    },
  }
}
