import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { moduleReadmes, noDocs } from './support/module-docs.ts'
import { TERRAFORM } from './support/terraform.ts'

describe('READMEs of modules', { skip: noDocs }, () => {
  it('have the tables of what the modules take and give: else run node infra/tests/support/module-docs.ts', async () => {
    const wanted = await moduleReadmes()
    assert.ok(wanted.size >= 9)
    for (const [name, text] of wanted) {
      assert.match(text, /\n\| name +\| What every name begins with/, name)
      assert.equal(await readFile(join(TERRAFORM, 'modules', name, 'README.md'), 'utf8'), text, name)
    }
  })
})
