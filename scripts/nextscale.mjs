#!/usr/bin/env node
// `nextscale <command> …`: starts the command under the pinned Node. Itself it must run on Node 20 with nothing installed.

import { writeSync } from 'node:fs'

/** Start file of each command, seen from this folder. */
const COMMANDS = {
  keys: '../api/src/keys/cli/start.ts',
  objects: '../api/src/objects/cli/start.ts'
}
/** The words of one command, which is told which of them was said. */
const CLIENT = '../openapi/sdk/typescript/src/cli/start.ts'
for (const word of [
  'generate',
  'continue',
  'get',
  'cancel',
  'delete',
  'list',
  'models',
  'classes',
  'status',
  'webhooks',
  '--version',
  '-V'
])
  COMMANDS[word] = CLIENT

/** Without a word of its own, or with an option, `models` asks the server; else it is about folders. */
const FOLDERS = '../gpu-runner/src/cli/start.ts'
const isAboutFolders = ([first = '--']) => !first.startsWith('-') || ['--help', '-h'].includes(first)

const HELP = `nextscale <command> …

  generate, continue   make pictures of a class; take a draft further
  get, list            show generations
  cancel, delete       end one; erase one with its pictures
  classes              search the classes of a model
  status               show the capacity of the server
  webhooks             test receivers, show and repeat deliveries
  models               list what the server serves; check, measure and add model folders
  keys                 make, show and revoke API keys
  objects              remove pictures that nobody knows of any more

nextscale <command> --help says more; nextscale --version says which this is.`

const [command = '', ...args] = process.argv.slice(2)
const named = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined
const entry = command === 'models' && isAboutFolders(args) ? FOLDERS : named
if (entry) {
  process.argv.splice(2, Infinity, entry, ...(entry === CLIENT ? [command] : []), ...args)
  await import('./bootstrap.mjs')
} else if (['', '-h', '--help', 'help'].includes(command)) {
  try {
    writeSync(1, `${HELP}\n`)
  } catch (error) {
    if (error.code !== 'EPIPE') console.error(`nextscale: The output cannot be written: ${error.message}`)
    process.exitCode = error.code === 'EPIPE' ? 141 : 1
  }
} else {
  const words = Object.keys(COMMANDS).filter((word) => !word.startsWith('-'))
  console.error(`Usage: nextscale <command> …, where the command is one of: ${words.join(', ')}.`)
  process.exitCode = 2
}
