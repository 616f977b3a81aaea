import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

export interface Certificate {
  /** PEM, both. */
  readonly key: string
  readonly cert: string
}

const DAY_MS = 86_400_000

/** One value in DER (X.690): tag, length, content. */
const der = (tag: number, ...content: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(content)
  const length = body.length < 0x80 ? [body.length] : [0x82, body.length >> 8, body.length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}

const sequence = (...content: readonly Uint8Array[]) => der(0x30, ...content)
const text = (tag: number, value: string) => der(tag, Buffer.from(value))
const objectId = (hex: string) => der(0x06, Buffer.from(hex, 'hex'))

const ED25519 = sequence(objectId('2b6570'))
const COMMON_NAME = objectId('550403')
const SUBJECT_ALTERNATIVE_NAME = objectId('551d11')

const time = (at: number) => text(0x18, new Date(at).toISOString().replaceAll(/[-:T]|\.\d+/g, ''))
const nameOf = (host: string) => sequence(der(0x31, sequence(COMMON_NAME, text(0x0c, host))))

const extensionsOf = (hosts: readonly string[]) => {
  const names = sequence(...hosts.map((host) => text(0x82, host)))
  return der(0xa3, sequence(sequence(SUBJECT_ALTERNATIVE_NAME, der(0x04, names))))
}

const pem = (label: string, bytes: Buffer) =>
  `-----BEGIN ${label}-----\n${bytes.toString('base64').replaceAll(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`

const certify = (publicKey: KeyObject, privateKey: KeyObject, hosts: readonly string[]): Buffer => {
  const name = nameOf(hosts[0] ?? 'localhost')
  const signed = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    ED25519,
    name,
    sequence(time(Date.now() - DAY_MS), time(Date.now() + DAY_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    extensionsOf(hosts)
  )
  return sequence(signed, ED25519, der(0x03, Buffer.from([0]), sign(null, signed, privateKey)))
}

/** A certificate for some hosts that nobody but itself vouches for (RFC 5280), with its key. */
export const createCertificate = (...hosts: readonly string[]): Certificate => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  return {
    key: pem('PRIVATE KEY', privateKey.export({ type: 'pkcs8', format: 'der' })),
    cert: pem('CERTIFICATE', certify(publicKey, privateKey, hosts))
  }
}
