import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pod } from './kubernetes-object.ts'

/** What secrets hold, by the name of their volume. */
const CONTENTS: Readonly<Record<string, string>> = {
  redis: 'rediss://nextscale:s3cret@redis.example.com:6379',
  'redis-ca': '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
  s3: '[default]\naws_access_key_id = AKIDOFTHEFILE\naws_secret_access_key = secret',
  links: 'x'.repeat(32),
  'signing-keys': `whsk_${Buffer.alloc(32, 7).toString('base64')}`
}

/** Puts what a pod's secrets hold below `root`, at the paths at which the pod has them. */
const writeSecrets = async ({ spec, container }: Pod, root: string): Promise<void> => {
  for (const { name, mountPath } of container.volumeMounts) {
    const secret = spec.volumes.find((volume) => volume.name === name)?.secret
    if (secret === undefined) continue
    const content = CONTENTS[name]
    if (content === undefined) throw new Error(`Nobody knows what the secret of the volume ${name} holds`)
    await mkdir(join(root, mountPath), { recursive: true })
    for (const { path } of secret.items) await writeFile(join(root, mountPath, path), content)
  }
}

const wholeCpus = (amount: string | number): number => {
  const text = String(amount)
  return Math.ceil(text.endsWith('m') ? Number(text.slice(0, -1)) / 1000 : Number(text))
}

/** The variables that the container of a pod gets, with its secrets below `root`. */
export const environmentOf = async (pod: Pod, root: string): Promise<Record<string, string>> => {
  await writeSecrets(pod, root)
  const limit = pod.container.resources.limits['cpu'] ?? ''
  const variables = pod.container.env.map(({ name, value, valueFrom }): [string, string] => {
    if (valueFrom?.resourceFieldRef?.resource === 'limits.cpu') return [name, String(wholeCpus(limit))]
    if (value === undefined) throw new Error(`${name} comes from where this test does not look`)
    return [name, value.startsWith('/secrets/') ? join(root, value) : value]
  })
  return Object.fromEntries(variables)
}
