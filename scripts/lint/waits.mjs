// A linter's plugin: a loop of a test that waits has an end of its own.

const MESSAGE =
  "Wait with until('…', …), which has a deadline, or name one in the condition: a loop that waits for ever says nothing."

const isFunction = (node) => /Function/.test(node.type)

/** The nodes below a node, those of functions within it left out. */
function* within(node) {
  if (typeof node?.type !== 'string') return
  yield node
  if (isFunction(node)) return
  for (const [name, value] of Object.entries(node)) {
    if (name === 'parent') continue
    for (const child of Array.isArray(value) ? value : [value]) yield* within(child)
  }
}

const has = (node, fits) => node !== null && [...within(node)].some(fits)
const waits = (node) => has(node, ({ type, await: isAwaited }) => type === 'AwaitExpression' || isAwaited === true)
const hasDeadline = (node) => has(node, ({ type, name }) => type === 'Identifier' && /deadline/i.test(name))

const boundedWaits = {
  meta: { type: 'problem' },
  create(context) {
    const check = (node) => {
      if ((waits(node.test) || waits(node.body)) && !hasDeadline(node.test)) context.report({ node, message: MESSAGE })
    }
    return {
      WhileStatement: check,
      DoWhileStatement: check,
      ForStatement: (node) => {
        if (node.update === null) check(node)
      }
    }
  }
}

export default { meta: { name: 'nextscale' }, rules: { 'bounded-waits': boundedWaits } }
