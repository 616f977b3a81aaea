import { hash, randomBytes } from 'node:crypto'
import { API_KEY_FORMAT } from '@nextscale/openapi'

const LOWER = 'abcdefghijklmnopqrstuvwxyz0123456789'
const ALPHANUMERIC = `${LOWER}ABCDEFGHIJKLMNOPQRSTUVWXYZ`
const { idLength: ID_LENGTH, secretLength: SECRET_LENGTH } = API_KEY_FORMAT
const TOKEN = new RegExp(`^ns_([a-z0-9]{${ID_LENGTH}})_([A-Za-z0-9]{${SECRET_LENGTH}})$`)

/** A secret key as its holder has it: `ns_<id>_<secret>`. */
export interface Token {
  id: string
  secret: string
}

/** Each character equally likely: bytes beyond the last whole run of the alphabet are drawn anew. */
const randomText = (alphabet: string, length: number): string => {
  const limit = 256 - (256 % alphabet.length)
  let text = ''
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < limit && text.length < length) text += alphabet.charAt(byte % alphabet.length)
    }
  }
  return text
}

export const newToken = (): Token => ({ id: randomText(LOWER, ID_LENGTH), secret: randomText(ALPHANUMERIC, SECRET_LENGTH) })

export const formatToken = ({ id, secret }: Token): string => `ns_${id}_${secret}`

export const parseToken = (text: string): Token | undefined => {
  const [, id, secret] = TOKEN.exec(text) ?? []
  return id === undefined || secret === undefined ? undefined : { id, secret }
}

/** A plain digest is enough: nobody can try all of 256 random bits. */
export const digestOf = (secret: string): Buffer => hash('sha256', secret, 'buffer')
