/**
 * The process that computes. `InferenceSession.run()` blocks the thread it is called on, so it must not share one with
 * lock renewal, cancellation and uploads.
 */
import { enableCompileCache } from 'node:module'

// Code compiled once is loaded the next time, without the type stripper: 20 MB less and a quicker start.
enableCompileCache()
const { loadFamilies } = await import('../families/load-families.ts')
const { serveCommands } = await import('./serve-commands.ts')
// Imported when models are loaded: commands may come before.
serveCommands(() => loadFamilies(process.argv[2] ?? ''))
