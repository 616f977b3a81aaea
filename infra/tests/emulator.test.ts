import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, it } from 'node:test'
import { promisify } from 'node:util'
import { startRedis } from '@nextscale/platform/testing'
import { openStack, type Stack } from './support/apply-examples.ts'
import { inherited } from './support/config.ts'
import { containersOf, misfits } from './support/containers.ts'
import { describeUnless } from './support/describe-unless.ts'
import { driftOf, KNOWN_DRIFT } from './support/drift.ts'
import { type Emulator, startEmulator } from './support/emulator.ts'
import { ACCOUNT } from './support/answers.ts'
import { policiesOf } from './support/policies.ts'
import { WILDCARDS, wildcardsOf } from './support/policy-wildcards.ts'
import { isProcess, unreadVariables } from './support/read-environment.ts'
import { at, ofType, type Resource, resourcesOfState, type State, textAt, textsAt } from './support/resources.ts'
import { RULES } from './support/rules.ts'
import { missing, standIn, TERRAFORM } from './support/terraform.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')
/** Applying waits for what the provider waits for between its looks, whatever the emulator does. */
const timeout = 400_000

let emulator: Emulator
let copy: string
let complete: Stack
let states: { complete: State; dev: State }
let resources: Record<'complete' | 'dev', Resource[]>

const unpadded = (text: string) => text.replace(/-[A-Za-z0-9]{6}$/, '')

describeUnless(
  missing,
  'the examples, applied to an emulator of AWS',
  () => {
    before(
      async () => {
        execFileSync(process.execPath, [join(ROOT, 'api/src/bundle.ts')], { stdio: 'inherit' })
        copy = await mkdtemp(join(tmpdir(), 'nextscale-applied-'))
        await cp(TERRAFORM, copy, { recursive: true })
        emulator = await startEmulator()
        const { CertificateArn: arn } = await emulator.ask<{ CertificateArn: string }>(
          'acm',
          'CertificateManager.RequestCertificate',
          {
            DomainName: 'pictures.example.com'
          }
        )
        complete = await openStack(copy, 'complete', emulator, { certificate_arn: arn })
        const dev = await openStack(copy, 'dev', emulator, {})
        await Promise.all([complete.apply(), dev.apply()])
        states = { complete: await complete.state(), dev: await dev.state() }
        resources = { complete: resourcesOfState(states.complete), dev: resourcesOfState(states.dev) }
      },
      { timeout }
    )
    after(async () => {
      await emulator?.close()
      if (copy !== undefined) await rm(copy, { recursive: true, force: true })
    })

    it('tell where things are', () => {
      const outputs = Object.fromEntries(
        Object.entries(states.complete.values?.outputs ?? {}).map(([name, { value }]) => [name, value])
      )
      const registry = `${ACCOUNT}.dkr.ecr.eu-central-1.amazonaws.com/nextscale`
      assert.equal(outputs['url'], 'https://pictures.example.com')
      assert.match(textAt(outputs['balancer'], 'name') ?? '', /^nextscale-api-.*\.elb\.amazonaws\.com$/)
      assert.deepEqual(outputs['repositories'], {
        nextscale: `${registry}/nextscale`,
        'nextscale-gpu': `${registry}/nextscale-gpu`
      })
      assert.deepEqual(
        [outputs['models_bucket'], outputs['pictures_bucket']],
        [`nextscale-models-${ACCOUNT}`, `nextscale-pictures-${ACCOUNT}`]
      )
      assert.deepEqual(outputs['runner_services'], { default: 'nextscale-runner-default', large: 'nextscale-runner-large' })
      assert.match(textAt(outputs, 'push_images') ?? '', new RegExp(`docker push ${registry}/nextscale-gpu:0.1.0`))
      assert.match(textAt({ url: states.dev.values?.outputs?.['url']?.value ?? null }, 'url') ?? '', /execute-api/)
    })

    for (const name of ['complete', 'dev'] as const) {
      it(`${name}: every rule holds of what was made`, () => {
        for (const rule of RULES) assert.deepEqual(rule.faults(resources[name]), [], rule.name)
      })

      it(`${name}: containers fit the images`, () => {
        const containers = containersOf(resources[name])
        assert.equal(containers.length, name === 'complete' ? 4 : 2)
        assert.deepEqual(containers.flatMap(misfits), [])
      })

      it(`${name}: processes take the settings that they are given, each of them`, () => {
        const given = containersOf(resources[name]).map(({ command: [process], env }) => ({ process, env }))
        for (const { values } of ofType(resources[name], 'aws_lambda_function')) {
          const env = at(values, 'environment.0.variables')
          given.push({
            process: 'api',
            env: Object.fromEntries(Object.entries(Object(env)).map(([key, value]) => [key, String(value)]))
          })
        }
        assert.ok(given.length >= 3)
        for (const { process, env } of given) {
          assert.ok(isProcess(process), `the image has no ${process}`)
          assert.deepEqual(unreadVariables(process, env), [], process)
        }
      })
    }

    it('policies have no wildcard without a reason, and each reason is needed', () => {
      const found = Object.values(resources).flatMap((each) => [...policiesOf(each).values()].flat().flatMap(wildcardsOf))
      assert.deepEqual([...new Set(found)].toSorted(), Object.keys(WILDCARDS).toSorted())
    })

    it('the password is in two secrets and in no state', async () => {
      const textOf = (name: string) =>
        emulator
          .ask<{ SecretString: string }>('secretsmanager', 'secretsmanager.GetSecretValue', { SecretId: `nextscale/${name}` })
          .then(({ SecretString }) => SecretString)
      const [password, url] = [await textOf('redis-password'), await textOf('redis-url')]
      assert.match(password, /^[A-Za-z0-9]{48}$/)
      const { protocol, username, password: own, hostname, port } = new URL(url)
      assert.deepEqual([protocol, username, own, port], ['rediss:', 'nextscale', password, '6379'])
      const [group] = ofType(resources.complete, 'aws_elasticache_replication_group')
      assert.equal(hostname, at(group?.values, 'primary_endpoint_address'))
      assert.equal(JSON.stringify(states).includes(password), false)
      const secrets = containersOf(resources.complete).map(({ env }) => env['REDIS_SECRET_ARN'] ?? '')
      assert.deepEqual(
        [...new Set(secrets.map(unpadded))],
        [`arn:aws:secretsmanager:eu-central-1:${ACCOUNT}:secret:nextscale/redis-url`]
      )
    })

    it('the task of the first key puts one into its secret, and finds it there the next time', async () => {
      const task = states.complete.values?.outputs?.['first_key']?.value
      const [program, ...words] = textsAt(task, 'overrides.containerOverrides.0.command')
      assert.equal(program, 'nextscale')
      const keyOf = () =>
        emulator.ask<{ SecretString: string }>('secretsmanager', 'secretsmanager.GetSecretValue', {
          SecretId: 'nextscale/first-api-key'
        })
      const redis = await startRedis()
      try {
        const env = { ...standIn(emulator.url), PATH: inherited()['PATH'] ?? '', REDIS_URL: redis.url }
        const ensure = () =>
          promisify(execFile)(process.execPath, [join(ROOT, 'scripts/nextscale.mjs'), ...words], { env, timeout: 60_000 })
        await ensure()
        const { SecretString: first } = await keyOf()
        assert.match(first, /^ns_/)
        await ensure()
        assert.equal((await keyOf()).SecretString, first)
      } finally {
        await redis.stop()
      }
    })

    it('the function is the zip that the bundle made', async () => {
      const [made] = ofType(resources.dev, 'aws_lambda_function')
      const zip = await readFile(join(ROOT, 'api/dist/lambda.zip'))
      assert.equal(at(made?.values, 'source_code_hash'), createHash('sha256').update(zip).digest('base64'))
      assert.equal(at(made?.values, 'source_code_size'), zip.length)
    })

    it('a second plan changes nothing but what the emulator forgets', { timeout }, async () => {
      const known = Object.fromEntries(Object.entries(KNOWN_DRIFT).map(([address, { attributes }]) => [address, attributes]))
      assert.deepEqual(driftOf(await complete.planAgain()), known)
    })

    it('terraform destroy leaves buckets with what is in them, unless it is asked not to', { timeout: 2 * timeout }, async () => {
      const bucket = `nextscale-pictures-${ACCOUNT}`
      await emulator.put(bucket, 'generations/gen_1/0.png', 'a picture')
      await assert.rejects(complete.destroy(), /BucketNotEmpty/)
      assert.ok((await emulator.buckets()).includes(bucket))
      const left = resourcesOfState(await complete.state()).filter(({ mode }) => mode === 'managed')
      assert.deepEqual(
        left.map(({ address }) => address),
        ['module.storage.aws_s3_bucket.this["pictures"]']
      )
      await complete.apply({ destroy_data: 'true' }, ['-target=module.storage.aws_s3_bucket.this'])
      await complete.destroy({ destroy_data: 'true' })
      assert.equal((await emulator.buckets()).includes(bucket), false)
    })
  },
  { timeout: 2 * timeout }
)
