import type { ARTIFACT_TYPES } from '../artifact.ts'
import { inRun, REFUNDED } from './refund-desk.ts'
import type { SamplesOf } from './sample.ts'

export const ARTIFACT_SAMPLES: SamplesOf<typeof ARTIFACT_TYPES> = {
  'agent.artifact.created': (id) => ({
    number: 10,
    causedBy: 9,
    timestamp: '2026-11-23T18:31:44.500Z',
    ...inRun(id, REFUNDED, 11),
    data: {
      artifact_id: id('art_01m84tv6sn'),
      status: 'completed',
      media_type: 'text/plain',
      size_bytes: 39,
      digest: 'sha256:lfTe65Pdu6tfmHS-1YTmdAsHOZdqK6B0tRT218y8oW4',
      name: 'credit-note-7781.txt',
      content: 'Credit note for order 7781: 84.00 EUR.\n',
      resource: {
        type: 'document',
        id: id('art_01m84tv6sn'),
        url: `https://api.acme.example/documents/${id('art_01m84tv6sn')}`,
      },
    },
  }),
}
