import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { readAccept } from './support/config.ts'
import { describeValues } from './support/describe-values.ts'
import { missing } from './support/find-helm.ts'
import { nameOf, podsOf } from './support/kubernetes-object.ts'
import { CHART, EXAMPLES, render } from './support/render-chart.ts'

const README = join(CHART, 'README.md')
const MOST_COMMANDS = 6

/** What is under a heading. */
const sectionOf = (readme: string, heading: string): string => {
  const [, section] = readme.split(`\n## ${heading}\n`)
  assert.ok(section, heading)
  return section.split('\n## ', 1)[0] ?? ''
}

const commandsIn = (section: string): string[] => {
  const [, block = ''] = /```sh\n([\s\S]*?)```/.exec(section) ?? []
  return block
    .replaceAll(/\\\n\s*/g, '')
    .trim()
    .split('\n')
}

describe('the README of the chart', () => {
  it('says of each value in its table what the schema says, and the default that it has', async () => {
    const readme = await readFile(README, 'utf8')
    const table = /\| value .*\n\| -.*\n((?:\|.*\n)+)/.exec(sectionOf(readme, 'Values'))?.[1] ?? ''
    const rows = table
      .trim()
      .split('\n')
      .map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim())
      )
    assert.ok(rows.length > 40)
    const expected = await describeValues(rows.map(([name = '']) => name.replaceAll('`', '')))
    if (readAccept()) {
      const lines = expected.map((cells) => `| ${cells.join(' | ')} |\n`).join('')
      return writeFile(README, readme.replace(table, lines))
    }
    assert.deepEqual(rows, expected, 'ACCEPT=1 writes it down')
  })

  it('names every example and no other', async () => {
    const named = [...(await readFile(README, 'utf8')).matchAll(/\]\(examples\/(\w+)\.yaml\)/g)].map(([, name = '']) => name)
    assert.deepEqual(named.toSorted(), [...EXAMPLES].toSorted())
  })
})

describe('the way to the first picture', { skip: missing }, () => {
  it('has few commands, and the names in them are those of what the chart makes and reads', async () => {
    const commands = commandsIn(sectionOf(await readFile(README, 'utf8'), 'First picture'))
    assert.ok(commands.length <= MOST_COMMANDS, String(commands.length))
    const text = commands.join('\n')
    const [, release, chart, example, repository] =
      /^helm install (\S+) (\S+) -n pictures -f \S+examples\/(\w+)\.yaml --set image\.repository=(\S+) --wait$/m.exec(text) ?? []
    assert.deepEqual([release, chart], ['nextscale', 'infra/helm/nextscale'])
    const objects = await render(example, { image: { repository } })
    const names = objects.map(nameOf)
    for (const [, kind, name] of text.matchAll(/\b(job|service)\/([\w-]+)/g))
      assert.ok(
        names.some((found) => found.toLowerCase() === `${kind} ${name}`),
        `${kind} ${name}`
      )
    const [, secret, key] = /create secret generic (\S+) --from-file=(\w+)=/.exec(text) ?? []
    const [, image] = /docker build .* -t (\S+) /.exec(text) ?? []
    for (const { spec, container, of } of podsOf(objects)) {
      const read = spec.volumes.flatMap((volume) => (volume.secret ? [volume.secret] : []))
      assert.deepEqual(
        read.map(({ secretName, items }) => [secretName, items[0]?.key]),
        [[secret, key]],
        of
      )
      assert.equal(container.image, image, of)
    }
  })
})
