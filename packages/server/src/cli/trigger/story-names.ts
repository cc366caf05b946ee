/** Whole runs that `runbell trigger --story` tells. */
export const STORY_NAMES = ['refund', 'approval', 'failure', 'partial', 'expired'] as const
export type TriggeredStory = (typeof STORY_NAMES)[number]
