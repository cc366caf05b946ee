/** Rules that oxlint does not have itself; `.oxlintrc.json` loads them. */

/** `new Date()` and `Date()` read the machine's clock; `new Date(ms)` does not. */
const noClockDate = {
  create(context) {
    function check(node) {
      const isDate = node.callee.type === 'Identifier' && node.callee.name === 'Date'
      if (isDate && (node.type === 'CallExpression' || node.arguments.length === 0)) {
        context.report({ node, message: 'This reads the clock. Take the time as an argument.' })
      }
    }
    return { NewExpression: check, CallExpression: check }
  },
}

export default {
  meta: { name: 'runbell' },
  rules: { 'no-clock-date': noClockDate },
}
