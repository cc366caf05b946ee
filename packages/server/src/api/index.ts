export {
  apiKeyRow,
  createApiKey,
  hashApiKey,
  parseApiKey,
  type ApiKeyGrant,
  type ParsedApiKey,
} from './access/api-key.ts'
export type { ApiContext, ApiLimits, EndpointDefaults, ServerSecrets, UrlPolicy } from './context.ts'
export { createApi, type Api } from './api.ts'
