import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { temporaryFolder } from '@nextscale/platform/testing'
import { chooseRedis } from '../../api/src/cli/config.ts'
import { readConfig } from '../../api/src/config.ts'
import { readControlConfig } from '../../api/src/control/config.ts'
import { readConfig as readRunnerConfig } from '../../gpu-runner/src/config.ts'
import { renderVariant, VARIANTS } from './support/chart-variants.ts'
import { environmentOf } from './support/environment-of.ts'
import { missing } from './support/find-helm.ts'
import { podsOf } from './support/kubernetes-object.ts'
import { CHART, readYaml, refusal } from './support/render-chart.ts'

type Environment = Readonly<Record<string, string | undefined>>

const READERS: Readonly<Record<string, (env: Environment) => unknown>> = {
  api: readConfig,
  control: readControlConfig,
  runner: readRunnerConfig,
  'first-key': chooseRedis
}

/** What AWS' SDK reads by itself. */
const OF_SDK = ['AWS_SHARED_CREDENTIALS_FILE', 'AWS_REGION']

/** What a process reads and the chart does not offer, and why not. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  LINK_SECRET: 'a secret: LINK_SECRET_FILE',
  WEBHOOK_SIGNING_KEYS: 'a secret: WEBHOOK_SIGNING_KEYS_FILE',
  ECS_AGENT_URI: 'set by ECS'
}

/** What the API reads for the control process, which alone uses it. */
const OF_CONTROL = /^WEBHOOK_(?!SIGNING_KEYS_FILE)/

/** Runs a reader, and says which variables it asked for. */
const namesReadBy = (reader: (env: Environment) => unknown, env: Environment): Set<string> => {
  const names = new Set<string>()
  reader(
    new Proxy(env, {
      get: (target, name) => {
        names.add(String(name))
        return target[String(name)]
      }
    })
  )
  return names
}

const COMPONENTS = ['api', 'control', 'runner'] as const
type Component = (typeof COMPONENTS)[number]
type NamesOf = Record<Component, Set<string>>

const isComponent = (name: string): name is Component => COMPONENTS.some((component) => component === name)
const noNames = (): NamesOf => ({ api: new Set(), control: new Set(), runner: new Set() })

interface Place {
  properties: Record<string, Place>
}

/** The names of settings that values may have: those of all processes, and those of each. */
const settingsIn = async () => {
  const { properties } = (await readYaml('values.schema.json')) as Place
  const settingsOf = (place: Place | undefined) => Object.keys(place?.properties['settings']?.properties ?? {})
  return {
    shared: settingsOf({ properties }),
    api: settingsOf(properties['api']),
    control: settingsOf(properties['control']),
    runner: settingsOf(properties['poolDefaults'])
  }
}

/** Over all variants: what the processes ask for, and what they are given. */
const collectNames = async (folder: string): Promise<{ read: NamesOf; given: NamesOf }> => {
  const [read, given] = [noNames(), noNames()]
  for (const variant of VARIANTS)
    for (const pod of podsOf(await renderVariant(variant))) {
      const { component, of } = pod
      const reader = READERS[component]
      if (!isComponent(component) || reader === undefined) continue
      const env = await environmentOf(pod, join(folder, variant.name, of))
      for (const name of namesReadBy(reader, env)) read[component].add(name)
      for (const name of Object.keys(env)) given[component].add(name)
    }
  return { read, given }
}

describe('settings of the chart', { skip: missing }, () => {
  for (const variant of VARIANTS)
    it(`are read, and taken, by the process that gets them: ${variant.name}`, async (t) => {
      const pods = podsOf(await renderVariant(variant))
      assert.ok(pods.length >= 3)
      for (const pod of pods) {
        const env = await environmentOf(pod, await temporaryFolder(t))
        const reader = READERS[pod.component]
        assert.ok(reader, pod.component)
        const read = namesReadBy(reader, env)
        const unread = Object.keys(env).filter((name) => !read.has(name) && !OF_SDK.includes(name))
        assert.deepEqual(unread, [], pod.of)
      }
    })

  it('are all those that the processes have, but for some with a reason', async (t) => {
    const offered = await settingsIn()
    const { read, given } = await collectNames(await temporaryFolder(t))
    for (const component of COMPONENTS) {
      const isOffered = (name: string) => [...offered.shared, ...offered[component], ...given[component]].includes(name)
      // These two read each other's, which only one of them uses.
      const others: Partial<Record<Component, (name: string) => boolean>> = {
        api: (name) => OF_CONTROL.test(name),
        control: (name) => given.api.has(name) || offered.api.includes(name)
      }
      const isOthers = others[component] ?? (() => false)
      const lacking = [...read[component]].filter((name) => !isOffered(name) && !(name in LEFT_OUT) && !isOthers(name))
      assert.deepEqual(lacking.toSorted(), [], `${component} has settings that the chart has not`)
      const unread = offered[component].filter((name) => !read[component].has(name))
      assert.deepEqual(unread, [], `${component} has no such settings`)
    }
    const ofNone = offered.shared.filter((name) => !COMPONENTS.some((component) => read[component].has(name)))
    assert.deepEqual(ofNone, [], 'no process has such settings')
  })

  it('that are secrets cannot be given in plain text', async () => {
    for (const name of Object.keys(LEFT_OUT)) {
      const redis = { url: 'redis://redis:6379' }
      assert.match(await refusal({ redis, settings: { [name]: 'x' } }), new RegExp(`additional properties '${name}' not allowed`))
    }
    assert.match(await refusal({ redis: { url: 'redis://:password@redis:6379' } }), /redis\/url/)
  })

  it('name a file of credentials that AWS’ SDK uses', async (t) => {
    const variant = VARIANTS.find(({ example }) => example === 'gpu')
    assert.ok(variant)
    const pods = podsOf(await renderVariant(variant)).filter(({ component }) => component !== 'first-key')
    assert.ok(pods.length >= 4)
    for (const pod of pods) {
      const { AWS_SHARED_CREDENTIALS_FILE = '' } = await environmentOf(pod, await temporaryFolder(t))
      const script = `import { S3Client } from '@aws-sdk/client-s3'
        process.stdout.write((await new S3Client({ region: 'any' }).config.credentials()).accessKeyId)`
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
        cwd: CHART,
        env: { AWS_SHARED_CREDENTIALS_FILE, AWS_EC2_METADATA_DISABLED: 'true' },
        timeout: 20_000
      })
      assert.equal(stdout, 'AKIDOFTHEFILE', pod.of)
    }
  })
})
