export * from './contract/index.ts'
export * from './emit/index.ts'
export * from './receive/index.ts'
export * from './signing/index.ts'
