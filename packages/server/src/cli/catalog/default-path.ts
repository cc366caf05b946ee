/** Where a catalog is looked for when nobody says. */
export const DEFAULT_PATH = 'runbell.catalog.json'
