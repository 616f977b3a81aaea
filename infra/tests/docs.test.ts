import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'
import { describeUnless } from './support/describe-unless.ts'
import { moduleReadmes, noDocs } from './support/module-docs.ts'
import { TERRAFORM } from './support/terraform.ts'

describeUnless(noDocs, 'READMEs of modules', () => {
  it('have the tables of what the modules take and give: else run node infra/tests/support/module-docs.ts', async () => {
    const wanted = await moduleReadmes()
    assert.ok(wanted.size >= 9)
    for (const [name, text] of wanted) {
      assert.match(text, /\n\| name +\| What every name begins with/, name)
      assert.equal(await readFile(join(TERRAFORM, 'modules', name, 'README.md'), 'utf8'), text, name)
    }
  })
})
