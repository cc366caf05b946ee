import type { Accepted } from '@runbell/sdk/contract'
import type { ApiClient } from '../api-client.ts'
import type { Publishable } from './fresh-sample.ts'

/** What became of one event. */
export interface Published extends Accepted {
  type: string
  run_id: string | null
}

/** @param text the event as JSON @default as it is printed by JSON.stringify */
export async function publish(api: ApiClient, event: Publishable, text?: string): Promise<Published> {
  const accepted = await api.postText<Accepted>('/v1/events', text ?? JSON.stringify(event))
  return { type: event.type, run_id: event.run_id ?? null, ...accepted }
}

export function publishedText({ type, event_id: id, run_id: run, deliveries, warnings }: Published): string[] {
  const many = `${deliveries} ${deliveries === 1 ? 'delivery' : 'deliveries'}`
  const first = [type.padEnd(28), id, ...(run === null ? [] : [run]), many].join('  ')
  return [first, ...warnings.map(({ path, message }) => `  ${path} ${message}`)]
}
