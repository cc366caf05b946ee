/** Names that start with one of these belong to Runbell; a producer's own types start with a segment of their own. */
export const RESERVED_TYPE_PREFIXES = ['agent.', 'runbell.', 'diagnostic.'] as const
