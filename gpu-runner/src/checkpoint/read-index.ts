import { dirname, join } from 'node:path'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { ModelError } from '../errors.ts'
import { readJson } from './read-json.ts'
import type { TensorInfo, TensorMap } from './tensor-info.ts'

const MAX_INDEX_BYTES = 4 * 2 ** 20
const MAX_SHARDS = 1_024
/** Shards lie beside the index: a name with a slash could leave the folder. */
const SHARD_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/

/** As an object and not a record, which lets names with a line break have any value. */
const Index = Compile(Type.Object({ weight_map: Type.Object({}, { additionalProperties: Type.String() }) }))

const INDEX_SUFFIX = '.index.json'
export const isIndex = (path: string): boolean => path.endsWith(INDEX_SUFFIX)

/** File of each tensor, by name. */
type WeightMap = ReadonlyMap<string, string>

const readWeightMap = async (path: string): Promise<WeightMap> => {
  const index = await readJson(path, MAX_INDEX_BYTES)
  if (!Index.Check(index)) throw new ModelError(`${path} is not an index of shards: it has no weight_map from tensors to files.`)
  return new Map(Object.entries(index.weight_map as Record<string, string>))
}

const shardNames = (path: string, weightMap: WeightMap): string[] => {
  const names = [...new Set(weightMap.values())]
  if (names.length === 0) throw new ModelError(`${path} has no tensors.`)
  if (names.length > MAX_SHARDS) throw new ModelError(`${path} names ${names.length} shards, more than any model has.`)
  for (const name of names) {
    if (SHARD_NAME.test(name) && !isIndex(name)) continue
    throw new ModelError(`${path} names the shard ${name}: it must be the name of a file beside the index.`)
  }
  return names
}

/**
 * The shards an index names, as plain file names.
 * @throws ModelError in one sentence.
 */
export const readShardNames = async (path: string): Promise<string[]> => shardNames(path, await readWeightMap(path))

/**
 * Reads a checkpoint in shards (Hugging Face’s `*.index.json`): the tensors the map names, each from the file it names.
 * @throws ModelError in one sentence when index and shards do not fit together.
 */
export const readIndex = async (path: string, readShard: (path: string) => Promise<TensorMap>): Promise<TensorMap> => {
  const weightMap = await readWeightMap(path)
  const tensors = new Map<string, TensorInfo>()
  const shardOf = new Map<string, string>()
  for (const shard of shardNames(path, weightMap)) {
    for (const tensor of (await readShard(join(dirname(path), shard))).values()) {
      const { name } = tensor
      const [other, mapped] = [shardOf.get(name), weightMap.get(name)]
      if (other !== undefined) throw new ModelError(`${path}: tensor ${name} is both in ${other} and in ${shard}.`)
      shardOf.set(name, shard)
      if (mapped === undefined) continue
      if (mapped !== shard) throw new ModelError(`${path}: tensor ${name} is in ${shard}, but the index says ${mapped}.`)
      tensors.set(name, tensor)
    }
  }
  for (const [name, shard] of weightMap) {
    if (!tensors.has(name)) throw new ModelError(`${path}: tensor ${name} is not in ${shard}, where the index says it is.`)
  }
  return tensors
}
