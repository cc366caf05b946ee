import type { MESSAGE_TYPES } from '../message.ts'
import { customer, inRun, REFUNDED } from './refund-desk.ts'
import type { SamplesOf } from './sample.ts'

const CONTENT = 'Your 84.00 EUR are on their way back to your card.'

export const MESSAGE_SAMPLES: SamplesOf<typeof MESSAGE_TYPES> = {
  'agent.message.sent': (id) => ({
    number: 12,
    timestamp: '2026-11-23T18:31:46.400Z',
    ...inRun(id, REFUNDED, 13),
    data: {
      message_id: id('msg_01m84tv9e2'),
      status: 'sent',
      channel: 'chat',
      to: customer(id),
      in_reply_to: id('msg_01m84s53q1'),
      content_length: CONTENT.length,
      content_type: 'text/plain',
      content: CONTENT,
      resource: {
        type: 'message',
        id: id('msg_01m84tv9e2'),
        url: `https://api.acme.example/messages/${id('msg_01m84tv9e2')}`,
      },
    },
  }),
}
