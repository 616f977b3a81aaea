// Writes ../src/generated/contract.ts, or with --check says whether it is what the contract makes it.
import { readFile, writeFile } from 'node:fs/promises'
import openapiTS, { astToString, COMMENT_HEADER } from 'openapi-typescript'
import ts from 'typescript'

const DOCUMENT = new URL('../../../openapi.json', import.meta.url)
const TARGET = new URL('../src/generated/contract.ts', import.meta.url)
const { factory } = ts

const isNamed = (node, name) => node.name?.text === name
const textOf = (type) =>
  ts.isIndexedAccessTypeNode(type) && ts.isLiteralTypeNode(type.indexType) ? type.indexType.literal.text : undefined

/** X of `components["schemas"]["X"]`. */
const schemaNamed = (node) => {
  const name = ts.isIndexedAccessTypeNode(node) ? textOf(node) : undefined
  return name !== undefined && textOf(node.objectType) === 'schemas' ? name : undefined
}

/** The nodes with every schema called by its own name. */
const byName = (nodes) => {
  const visit = (context) => (node) => {
    const name = schemaNamed(node)
    return name === undefined ? ts.visitEachChild(node, visit(context), context) : factory.createTypeReferenceNode(name)
  }
  return ts.transform(nodes, [(context) => visit(context)]).transformed
}

/** A schema as a type of its own: an interface where it is an object, since editors and errors show those by their names. */
const declare = (member) => {
  const modifiers = [factory.createModifier(ts.SyntaxKind.ExportKeyword)]
  const name = member.name.text
  const declaration = ts.isTypeLiteralNode(member.type)
    ? factory.createInterfaceDeclaration(modifiers, name, undefined, undefined, member.type.members)
    : factory.createTypeAliasDeclaration(modifiers, name, undefined, member.type)
  return ts.setSyntheticLeadingComments(declaration, ts.getSyntheticLeadingComments(member))
}

/**
 * What openapi-typescript makes of the contract, with its schemas as types of their own. Without the `webhooks`, which it does not
 * follow: their requests are `pathItems` of the components.
 */
const render = async () => {
  const nodes = byName(await openapiTS(DOCUMENT, { defaultNonNullable: false, alphabetize: true, silent: true }))
  const components = nodes.find((node) => isNamed(node, 'components'))
  const schemas = components.members.find((member) => isNamed(member, 'schemas'))
  const members = components.members.filter((member) => member !== schemas)
  const rest = factory.updateInterfaceDeclaration(
    components,
    components.modifiers,
    components.name,
    undefined,
    undefined,
    members
  )
  const declared = nodes
    .filter((node) => !isNamed(node, 'webhooks'))
    .flatMap((node) => (node === components ? [...schemas.type.members.map(declare), rest] : [node]))
  return `${COMMENT_HEADER}${astToString(declared)}`
}

const text = await render()
if (!process.argv.includes('--check')) await writeFile(TARGET, text)
else if ((await readFile(TARGET, 'utf8')) !== text) {
  console.error('src/generated/contract.ts is not what the contract makes it: npm run generate')
  process.exitCode = 1
}
