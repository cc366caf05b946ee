/** Imported first by every script: one sentence instead of a stack trace on an older Node. */
const NEEDED = 24

if (Number.parseInt(process.versions.node, 10) < NEEDED) {
  process.stderr.write(
    `This needs Node ${NEEDED} or newer and ran on ${process.versions.node}; ` +
      'start it with `npm run`, which uses the Node that `npm ci` installed.\n',
  )
  process.exit(1)
}
