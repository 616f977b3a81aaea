// A linter's plugin: what is printed goes through the door that cleans it.

const MESSAGE =
  "Print with print or printError of @nextscale/platform/terminal, or in the client's command with what its context has: texts from elsewhere must not command the terminal."

const STREAMS = ['stdout', 'stderr']
/** Of a stream, what is only looked at or listened to. */
const HARMLESS = ['isTTY', 'columns', 'on', 'fd']

const nameOf = ({ computed, property }) => (computed ? property.value : property.name)
const isNamed = (node, name) => node.type === 'Identifier' && node.name === name

const oneDoor = {
  meta: { type: 'problem' },
  create(context) {
    const report = (node) => context.report({ node, message: MESSAGE })
    return {
      Identifier(node) {
        const isName = node.parent.type === 'MemberExpression' && node.parent.property === node && !node.parent.computed
        const isKey = node.parent.type === 'Property' && node.parent.key === node && !node.parent.shorthand
        if (isNamed(node, 'console') && !isName && !isKey) report(node)
      },
      VariableDeclarator({ id, init }) {
        if (init === null || !isNamed(init, 'process') || id.type !== 'ObjectPattern') return
        for (const { key } of id.properties) if (STREAMS.includes(key?.name)) report(key)
      },
      MemberExpression(node) {
        const isStream = isNamed(node.object, 'process') && STREAMS.includes(nameOf(node))
        const isLookedAt = node.parent.type === 'MemberExpression' && HARMLESS.includes(nameOf(node.parent))
        if (isStream && !isLookedAt) report(node)
      }
    }
  }
}

export default { meta: { name: 'nextscale-terminal' }, rules: { 'one-door': oneDoor } }
