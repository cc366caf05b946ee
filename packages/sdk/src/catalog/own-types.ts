/**
 * The `data` of a producer's own types, by name. Empty here: what `runbell catalog types` writes adds to it, so that `emit`
 * and `on` know these types as they know the built-in ones.
 */
export interface OwnEventDataByType {}

/** The names among them whose events belong to a run. Empty here, too. */
export interface OwnRunScopedTypes {}
