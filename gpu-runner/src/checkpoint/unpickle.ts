/** A value in a pickle: what torch's checkpoints are made of, and nothing that acts. */
export type Pickled = null | boolean | number | string | Pickled[] | Map<string, Pickled> | Global | Storage | Tensor

/** A name the pickle refers to. Only names in ALLOWED come this far, and none is ever called. */
export class Global {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** A typed run of values in an entry of the archive. */
export class Storage {
  readonly type: string
  readonly key: string
  readonly elements: number
  constructor(type: string, key: string, elements: number) {
    this.type = type
    this.key = key
    this.elements = elements
  }
}

/** A view of a storage. */
export class Tensor {
  readonly storage: Storage
  readonly offset: number
  readonly shape: readonly number[]
  readonly stride: readonly number[]
  constructor(storage: Storage, offset: number, shape: readonly number[], stride: readonly number[]) {
    this.storage = storage
    this.offset = offset
    this.shape = shape
    this.stride = stride
  }
}

/** Something in a pickle that is refused. The message completes a sentence about the file. */
export class PickleError extends Error {
  override name = 'PickleError'
}

const ORDERED_DICT = 'collections.OrderedDict'
const PARAMETER = 'torch._utils._rebuild_parameter'
const REBUILD_TENSOR = ['torch._utils._rebuild_tensor_v2', 'torch._utils._rebuild_tensor']
const STORAGE = /^torch\.(\w+Storage)$/
/** No name is longer, and whatever is looked up by name is compared with others as often as a pickle likes. */
const MAX_NAME_LENGTH = 512

const isAllowed = (name: string) =>
  name === ORDERED_DICT || name === PARAMETER || REBUILD_TENSOR.includes(name) || STORAGE.test(name)

const refuse = (what: string): never => {
  throw new PickleError(what)
}

const asName = (value: string): string =>
  value.length <= MAX_NAME_LENGTH ? value : refuse(`its pickle has a name of ${value.length} characters`)

const asIndex = (value: Pickled | undefined): number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : refuse('its pickle has a size that is none')

const asIndices = (value: Pickled | undefined): number[] =>
  Array.isArray(value) && value.length <= 16 ? value.map(asIndex) : refuse('its pickle has a shape that is none')

const rebuildTensor = ([storage, offset, shape, stride]: readonly Pickled[]): Tensor => {
  const [sizes, steps] = [asIndices(shape), asIndices(stride)]
  if (!(storage instanceof Storage) || sizes.length !== steps.length) return refuse('its pickle has a tensor that is none')
  return new Tensor(storage, asIndex(offset), sizes, steps)
}

/** What a call of an allowed name stands for. */
const reduce = (callee: Pickled | undefined, args: Pickled | undefined): Pickled => {
  if (!(callee instanceof Global) || !Array.isArray(args)) return refuse('its pickle calls what is no name')
  if (callee.name === ORDERED_DICT) return new Map()
  if (callee.name === PARAMETER) return args[0] instanceof Tensor ? args[0] : refuse('its pickle has a parameter that is none')
  return REBUILD_TENSOR.includes(callee.name) ? rebuildTensor(args) : refuse(`its pickle calls ${callee.name}`)
}

const persistent = (id: Pickled | undefined): Storage => {
  const [kind, type, key, , elements] = Array.isArray(id) ? id : []
  const name = type instanceof Global ? STORAGE.exec(type.name)?.[1] : undefined
  if (kind !== 'storage' || name === undefined || typeof key !== 'string')
    return refuse('its pickle refers to what is no storage')
  return new Storage(name, asName(key), asIndex(elements))
}

/** A little-endian two's complement number; sizes fit, anything longer is none. */
const longInteger = (bytes: Buffer): number => {
  if (bytes.length > 8) refuse('its pickle has an integer of absurd length')
  const value =
    bytes.length === 0 ? 0n : BigInt.asIntN(8 * bytes.length, BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`))
  return Number(value)
}

const MARK = Symbol('mark')
/** An instruction of one byte can make a dictionary of a hundred: without a limit a short pickle could take all memory. */
const MAX_VALUES = 500_000

/** The machine that a pickle is a program for, cut down to the instructions torch writes. */
class Machine {
  readonly #bytes: Buffer
  readonly #stack: (Pickled | typeof MARK)[] = []
  readonly #memo: Pickled[] = []
  #at = 0
  #values = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  run(): Pickled {
    for (;;) {
      const opcode = this.#take(1)[0] ?? 0
      if (opcode === STOP) return this.#pop()
      const act = INSTRUCTIONS[opcode]
      if (!act) refuse(`its pickle has the instruction 0x${opcode.toString(16)}, which checkpoints do not use`)
      else act(this)
    }
  }

  #take(length: number): Buffer {
    const end = this.#at + length
    if (end > this.#bytes.length) refuse('its pickle is cut off')
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }

  #pop(): Pickled {
    const value = this.#stack.pop()
    return value === undefined || value === MARK ? refuse('its pickle takes what is not there') : value
  }

  #popToMark(): Pickled[] {
    const at = this.#stack.lastIndexOf(MARK)
    if (at < 0) refuse('its pickle takes what is not there')
    return this.#stack.splice(at).slice(1) as Pickled[]
  }

  #count(): void {
    if (++this.#values > MAX_VALUES) refuse('its pickle makes more values than a checkpoint has')
  }

  push = (value: Pickled | typeof MARK): void => {
    this.#count()
    this.#stack.push(value)
  }
  mark = (): void => this.push(MARK)
  discard = (length: number): void => void this.#take(length)
  unsigned = (length: number): number => this.#take(length).readUIntLE(0, length)
  signed = (length: number): number => this.#take(length).readIntLE(0, length)
  double = (): number => this.#take(8).readDoubleBE(0)
  text = (length: number): string => this.#take(length).toString('utf8')
  long = (length: number): number => longInteger(this.#take(length))
  tuple = (length: number): void => this.push(Array.from({ length }, () => this.#pop()).reverse())
  tupleToMark = (): void => this.push(this.#popToMark())
  get = (index: number): void => {
    const value = this.#memo[index]
    this.push(value === undefined ? refuse('its pickle recalls what it never kept') : value)
  }
  reduce = (): void => {
    const args = this.#pop()
    this.push(reduce(this.#pop(), args))
  }
  persistent = (): void => this.push(persistent(this.#pop()))
  /** Attributes (torch keeps version numbers there) are of no use to a reader. */
  build = (): void => void this.#pop()

  /** Whoever writes pickles numbers what is kept from 0. */
  put = (index = this.#memo.length): void => {
    if (index > this.#memo.length) refuse('its pickle skips a number in what it keeps')
    this.#count()
    this.#memo[index] = this.#top()
  }

  line = (): string => {
    const end = this.#bytes.indexOf(0x0a, this.#at)
    const text = this.#take((end < 0 ? this.#bytes.length : end) - this.#at).toString('utf8')
    this.#take(1)
    return text
  }

  global = (name: string): void => {
    if (!isAllowed(asName(name))) refuse(`its pickle names ${name}, which a checkpoint has no use for`)
    this.push(new Global(name))
  }

  globalOnStack = (): void => {
    const name = this.#pop()
    const module = this.#pop()
    if (typeof name !== 'string' || typeof module !== 'string') return refuse('its pickle has a name that is none')
    this.global(`${module}.${name}`)
  }

  #top(): Pickled {
    const value = this.#stack.at(-1)
    return value === undefined || value === MARK ? refuse('its pickle takes what is not there') : value
  }

  append = (values: Pickled[]): void => {
    const list = this.#top()
    if (!Array.isArray(list)) return refuse('its pickle appends to what is no list')
    for (const value of values) list.push(value)
  }
  appendOne = (): void => this.append([this.#pop()])
  appendToMark = (): void => this.append(this.#popToMark())

  /** Only items with names are kept: nobody asks for others, and numbers can be chosen so that a map of them is slow. */
  set = (values: Pickled[]): void => {
    const map = this.#top()
    if (!(map instanceof Map) || values.length % 2 !== 0) return refuse('its pickle sets items of what is no dictionary')
    for (let i = 0; i < values.length; i += 2) {
      const key = values[i]
      if (typeof key === 'string') map.set(asName(key), values[i + 1] ?? null)
    }
  }
  setOne = (): void => {
    const value = this.#pop()
    this.set([this.#pop(), value])
  }
  setToMark = (): void => this.set(this.#popToMark())
}

const STOP = 0x2e

/** Instructions by opcode, as Python's pickletools names them. */
const INSTRUCTIONS: Readonly<Record<number, (machine: Machine) => void>> = {
  0x80: (m) => m.discard(1), // PROTO
  0x95: (m) => m.discard(8), // FRAME
  0x28: (m) => m.mark(), // MARK
  0x4e: (m) => m.push(null), // NONE
  0x88: (m) => m.push(true), // NEWTRUE
  0x89: (m) => m.push(false), // NEWFALSE
  0x4b: (m) => m.push(m.unsigned(1)), // BININT1
  0x4d: (m) => m.push(m.unsigned(2)), // BININT2
  0x4a: (m) => m.push(m.signed(4)), // BININT
  0x8a: (m) => m.push(m.long(m.unsigned(1))), // LONG1
  0x47: (m) => m.push(m.double()), // BINFLOAT
  0x8c: (m) => m.push(m.text(m.unsigned(1))), // SHORT_BINUNICODE
  0x58: (m) => m.push(m.text(m.unsigned(4))), // BINUNICODE
  0x7d: (m) => m.push(new Map()), // EMPTY_DICT
  0x5d: (m) => m.push([]), // EMPTY_LIST
  0x29: (m) => m.push([]), // EMPTY_TUPLE
  0x85: (m) => m.tuple(1), // TUPLE1
  0x86: (m) => m.tuple(2), // TUPLE2
  0x87: (m) => m.tuple(3), // TUPLE3
  0x74: (m) => m.tupleToMark(), // TUPLE
  0x61: (m) => m.appendOne(), // APPEND
  0x65: (m) => m.appendToMark(), // APPENDS
  0x73: (m) => m.setOne(), // SETITEM
  0x75: (m) => m.setToMark(), // SETITEMS
  0x71: (m) => m.put(m.unsigned(1)), // BINPUT
  0x72: (m) => m.put(m.unsigned(4)), // LONG_BINPUT
  0x94: (m) => m.put(), // MEMOIZE
  0x68: (m) => m.get(m.unsigned(1)), // BINGET
  0x6a: (m) => m.get(m.unsigned(4)), // LONG_BINGET
  0x63: (m) => m.global(`${m.line()}.${m.line()}`), // GLOBAL
  0x93: (m) => m.globalOnStack(), // STACK_GLOBAL
  0x52: (m) => m.reduce(), // REDUCE
  0x62: (m) => m.build(), // BUILD
  0x51: (m) => m.persistent() // BINPERSID
}

/**
 * Reads a pickle of protocol 2 to 5 as torch writes it. Nothing in it is run: calls of the few names torch needs become
 * values, every other name is refused by name. Time and memory are in proportion to the pickle's length, and bounded.
 * @throws PickleError
 */
export const unpickle = (bytes: Buffer): Pickled => new Machine(bytes).run()
