import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Browser, chromium } from 'playwright-core'

const FIND_CHROMIUM = fileURLToPath(new URL('../../../scripts/find-chromium.ts', import.meta.url))
const INSTALL_TIMEOUT_MS = 480_000
const ACTION_TIMEOUT_MS = 30_000

/** Starts a real browser; throws what to install where there is none. */
export const openBrowser = async (): Promise<Browser> => {
  const { stdout } = await promisify(execFile)(process.execPath, [FIND_CHROMIUM], { timeout: INSTALL_TIMEOUT_MS })
  return chromium.launch({ executablePath: stdout.trim(), args: ['--no-sandbox'], timeout: ACTION_TIMEOUT_MS })
}

export interface Site {
  /** Origin of its pages by one name of this machine, and by another: browsers take these for two sites. */
  byAddress: string
  byName: string
  close(): void
}

/** A web server whose every page is empty: where requests of another origin come from. */
export const openSite = async (): Promise<Site> => {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>elsewhere</title><body></body>')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('A TCP server has a port')
  return {
    byAddress: `http://127.0.0.1:${address.port}`,
    byName: `http://localhost:${address.port}`,
    close: () => {
      server.closeAllConnections()
      server.close()
    }
  }
}

/** Runs the body of an async function, written as text, in a page of an origin, and returns what it returns. */
export const runAt = async (browser: Browser, url: string, body: string): Promise<unknown> => {
  const page = await browser.newPage()
  page.setDefaultTimeout(ACTION_TIMEOUT_MS)
  try {
    await page.goto(url)
    return await page.evaluate(`(async () => { ${body} })()`)
  } finally {
    await page.close()
  }
}

/** Status of what is answered to the first post to a URL that a script has the browser make, in a page of another. */
export const postFrom = async (browser: Browser, url: string, script: string, target: string): Promise<number> => {
  const page = await browser.newPage()
  try {
    await page.goto(url)
    const answered = page.waitForResponse((response) => response.url() === target && response.request().method() === 'POST', {
      timeout: ACTION_TIMEOUT_MS
    })
    await page.evaluate(script)
    return (await answered).status()
  } finally {
    await page.close()
  }
}
