export type { ReceiveAnswer, ReceiveBody, ReceiveProblemCode } from './answer.ts'
export type { Claim, DuplicateStore } from './duplicate-store.ts'
export { MemoryDuplicateStore, type MemoryDuplicateStoreOptions } from './memory-duplicate-store.ts'
export type { NodeRequest, NodeResponse } from './node-handler.ts'
export { createReceiver, type EventHandler, type ReceiveContext, type Receiver } from './receiver.ts'
export type { FastifyLike, FastifyPluginOptions } from './fastify-plugin.ts'
export { Permanent, RetryLater } from './handler-errors.ts'
export type { LambdaEvent, LambdaResult } from './lambda-handler.ts'
export type { WorkerContext } from './receive-input.ts'
export { PostgresDuplicateStore, type PostgresClient } from './stores/postgres-duplicate-store.ts'
export {
  RedisDuplicateStore,
  type RedisDuplicateStoreOptions,
  type SendRedisCommand,
} from './stores/redis-duplicate-store.ts'
export type { SqlStoreOptions } from './stores/sql-options.ts'
export { SqliteDuplicateStore, type SqliteDatabase } from './stores/sqlite-duplicate-store.ts'
export type { ReceiveInput } from './receive-input.ts'
export type { ReceiverOptions } from './receiver-options.ts'
export { typeMatcher } from './type-pattern.ts'
