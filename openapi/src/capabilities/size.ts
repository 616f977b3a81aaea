import Type from 'typebox'
import { nullable, SIZE_PATTERN } from '../schemas/primitives.ts'
import type { Capability } from './capability.ts'

export interface Size {
  /** In pixels. */
  width: number
  /** In pixels. */
  height: number
}

/** A size as requests name it. */
export const nameOfSize = ({ width, height }: Size): string => `${width}x${height}`

export const size = {
  kind: 'subject',
  asked: Type.String({
    pattern: SIZE_PATTERN,
    description:
      'Width and height of the pictures in pixels, such as `32x32`: one of the model’s `sizes`. Left out: the first of them. A model with one size takes that one.'
  }),
  value: nullable(Type.String({ description: 'Width and height of the pictures in pixels; `null`: the one size of the model.' })),
  neutral: null
} as const satisfies Capability
