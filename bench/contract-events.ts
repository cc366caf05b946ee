/** A tool call as a producer publishes it, about 1 KB, with values of four classes besides those that always travel. */
function toolCall(output: unknown): Record<string, unknown> {
  return {
    event_id: 'evt_01m84s5378efqbtmfyyyta7z09',
    type: 'agent.tool_call.completed',
    schema_version: 1,
    timestamp: '2026-11-23T18:02:13.702Z',
    tenant_id: 'acme',
    run_id: 'run_01KAXW2M5E',
    conversation_id: 'thread_8841',
    agent: { id: 'refund-agent', name: 'Refund agent', version: '2026-11-02' },
    trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
    metadata: { order_region: 'eu', plan: 'business' },
    data: {
      status: 'completed',
      tool_call_id: 'call_9f2KQ',
      tool: { name: 'lookup_order', type: 'function', server: 'orders-mcp', annotations: { read_only_hint: true } },
      duration_ms: 412,
      side_effects: 'none',
      summary: 'Order found, delivered 9 days ago.',
      input: { order_id: '7781', fields: ['status', 'items', 'address'], locale: 'de-DE' },
      output,
      result: { type: 'order', id: '7781', url: 'https://api.acme.example/orders/7781' },
    },
  }
}

const ITEM = { sku: 'LAMP-2', title: 'Desk lamp, brushed steel', quantity: 1, price: '84.00', currency: 'EUR' }
const LONG_ITEM = {
  ...ITEM,
  description: 'A lamp for the desk, with a switch that can be reached from the chair. '.repeat(6),
}

export const SAMPLE_EVENT = Buffer.from(
  JSON.stringify(toolCall({ order_id: '7781', email: 'dana@example.com', items: [ITEM] })),
)

/** The same with as much output as makes it about this large. */
export function eventOfSize(bytes: number): Uint8Array {
  const one = JSON.stringify(LONG_ITEM).length + 1
  const items = Array.from({ length: Math.max(1, Math.floor((bytes - 900) / one)) }, () => LONG_ITEM)
  return Buffer.from(JSON.stringify(toolCall({ order_id: '7781', items })))
}
