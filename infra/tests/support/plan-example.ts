import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ACCOUNT, startAnswers } from './answers.ts'
import type { Plan } from './resources.ts'
import { init, standIn, terraform, withCopy } from './terraform.ts'

export type Variables = Readonly<Record<string, string>>

/** What the examples need to be set. */
export const VARIABLES: Readonly<Record<'dev' | 'complete', Variables>> = {
  dev: { image_tag: '0.1.0' },
  complete: {
    image_tag: '0.1.0',
    domain: 'pictures.example.com',
    certificate_arn: `arn:aws:acm:eu-central-1:${ACCOUNT}:certificate/00000000-0000-0000-0000-000000000000`
  }
}

export const asFlags = (variables: Variables): string[] =>
  Object.entries(variables).flatMap(([name, value]) => ['-var', `${name}=${value}`])

/** Plans an example where there is nothing yet, without a network; tells what was asked of AWS beside the two questions. */
export const planExample = (
  name: keyof typeof VARIABLES,
  more: Variables = {}
): Promise<{ plan: Plan; text: string; others: string[] }> =>
  withCopy(async (copy) => {
    const cwd = join(copy, 'examples', name)
    const answers = await startAnswers()
    try {
      const zip = join(copy, 'lambda.zip')
      await writeFile(zip, 'a package')
      await init(cwd)
      const flags = asFlags({ ...VARIABLES[name], lambda_package: zip, ...more })
      await terraform(cwd, ['plan', '-input=false', '-out=plan', ...flags], standIn(answers.url))
      const shown = await terraform(cwd, ['show', '-json', 'plan'])
      return { plan: JSON.parse(shown) as Plan, text: shown, others: answers.others }
    } finally {
      await answers.close()
    }
  })
