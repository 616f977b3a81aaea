import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { openBrowser } from './support/browser.ts'
import { createKey } from './support/create-key.ts'
import { type Deployment, deploy } from './support/deployment.ts'

const TIMEOUT_MS = 30_000

describe('the reference in a browser', () => {
  let deployment: Deployment
  let browser: Browser
  let page: Page
  let key: string
  const complaints: string[] = []
  const asked: URL[] = []

  before(async () => {
    ;[deployment, browser] = await Promise.all([deploy(), openBrowser()])
    key = await createKey(deployment, 'generate,read')
    page = await browser.newPage({ viewport: { width: 1400, height: 1000 } })
    page.setDefaultTimeout(TIMEOUT_MS)
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('request', (request) => asked.push(new URL(request.url())))
    page.on('response', (response) => {
      if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`)
    })
    await page.goto(`${deployment.baseUrl}/docs/`, { waitUntil: 'networkidle' })
  })

  after(async () => {
    await browser.close()
    await deployment.close()
  })

  it('names every group once, in title case', async () => {
    const buttons = page.getByRole('button', { name: /(Open|Close) Group - / })
    await buttons.first().waitFor()
    const titles = (await buttons.allInnerTexts()).map((text) => /Group - (.+)/.exec(text)?.[1])
    assert.deepEqual(titles, ['Generations', 'Models', 'Webhooks', 'Webhook events', 'Objects', 'Service', 'Schemas'])
  })

  it('has the webhooks that are sent', async () => {
    await page.getByRole('button', { name: 'Open Group - Webhook events' }).click()
    await page.getByText('All pictures are stored').first().waitFor()
  })

  it('shows the picture that the first request makes, with nothing to fill in but the key', async () => {
    await page
      .getByLabel(/Bearer Token/)
      .first()
      .fill(key)
    await page
      .getByRole('button', { name: /Test Request/ })
      .first()
      .click()
    await page.getByRole('button', { name: /^Send/ }).first().click()
    const picture = page.locator('img[src^="blob:"]').first()
    await picture.waitFor()
    assert.equal(await picture.evaluate((image) => Reflect.get(image, 'naturalWidth')), 32)
  })

  it('loads without a complaint, and asks no other host', () => {
    assert.deepEqual(complaints, [])
    assert.ok(asked.length > 3)
    const hosts = new Set(asked.filter(({ protocol }) => protocol.startsWith('http')).map(({ origin }) => origin))
    assert.deepEqual([...hosts], [deployment.baseUrl])
  })
})
