import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { AxeBuilder } from '@axe-core/playwright'
import { expect, test as base, type Page } from '@playwright/test'
import { missing, sfa } from './machine'

export const EMAIL = 'ann@example.org'
export const PASSWORD = 'correct horse battery'
/** For what waits for work on a short song, on whatever machine this is. */
export const WORK = { timeout: 300_000 }

/** A real server on a folder of its own. */
export class House {
  readonly folder = mkdtempSync(join(tmpdir(), 'sfa-studio-'))
  address = ''
  setUpToken = ''
  /** Whether the first account is there. */
  hasAccount = false
  #process: ChildProcess | null = null

  constructor(readonly more: string[] = []) {}

  /** Starts it, or starts it again where it was. */
  async start(): Promise<void> {
    const listen = this.address ? new URL(this.address).host : '127.0.0.1:0'
    const level = this.more.includes('--log-level') ? [] : ['--log-level', 'error']
    const options = ['--data', join(this.folder, 'data'), '--listen', listen, ...level, '--rates', '60000,60000,60000', ...this.more]
    const server = spawn(sfa ?? '', ['serve', ...options], { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#process = server
    const needsToken = !this.setUpToken
    for await (const line of createInterface({ input: server.stdout })) {
      this.address = /listening on (\S+)/.exec(line)?.[1] ?? this.address
      this.setUpToken = /set-up token is (\S+)/.exec(line)?.[1] ?? this.setUpToken
      if (this.address && (this.setUpToken || !needsToken)) return
    }
    throw new Error('the server ended before it listened')
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** Ends it as a power cut does. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const server = this.#process
    if (!server || server.exitCode !== null || server.signalCode !== null) return
    const ended = new Promise((resolve) => server.once('exit', resolve))
    server.kill(signal)
    await ended
  }

  async close(): Promise<void> {
    await this.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Where the demo song was written to; the name says how. */
  async demo(name: string): Promise<string> {
    const path = join(this.folder, name)
    await promisify(execFile)(sfa ?? '', ['demo', '--out', path, '--force'])
    return path
  }

  /** The beginning of the demo song: no two lengths are the same song. */
  async song(secs: number): Promise<Buffer> {
    const whole = readFileSync(await this.demo('First Light.wav'))
    const rate_bytes = whole.readUInt32LE(28)
    const start = whole.indexOf('data') + 8
    const part = Buffer.from(whole.subarray(0, start + secs * rate_bytes))
    part.writeUInt32LE(part.length - 8, 4)
    part.writeUInt32LE(part.length - start, start - 4)
    return part
  }
}

/** What a page complained about. */
export const test = base.extend<{ complaints: string[] }, { place: string; more: string[]; house: House }>({
  // A file of tests that says another place gets a server of its own.
  place: ['', { option: true, scope: 'worker' }],
  /** What else the server is started with. */
  more: [[], { option: true, scope: 'worker' }],
  house: [
    async ({ place: _, more }, use) => {
      const house = new House(more)
      if (!missing) await house.start()
      await use(house)
      await house.close()
    },
    { scope: 'worker' },
  ],
  complaints: [
    async ({ page }, use) => {
      const complaints: string[] = []
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
      page.on('pageerror', (error) => complaints.push(String(error.stack)))
      await use(complaints)
      expect(complaints).toEqual([])
    },
    { auto: true },
  ],
})

/** Comes in, and makes the first account where there is none. */
export async function enter(page: Page, house: House): Promise<void> {
  await page.goto(house.address)
  if (!house.hasAccount) {
    await page.getByLabel('Set-up token').fill(house.setUpToken)
    await page.getByLabel('Name').fill('Ann')
  }
  await page.getByLabel('E-mail').fill(EMAIL)
  await page.getByLabel('Password').fill(PASSWORD)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('button', { name: /^Log out/ })).toBeVisible()
  house.hasAccount = true
}

/** Lets go of a file over the page. */
export async function drop(page: Page, name: string, bytes: Buffer): Promise<void> {
  await page.evaluate(
    ({ name, text }) => {
      const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
      const dataTransfer = new DataTransfer()
      // The same file has the same date.
      dataTransfer.items.add(new File([bytes], name, { lastModified: 1 }))
      for (const kind of ['dragenter', 'dragover', 'drop']) {
        window.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }))
      }
    },
    { name, text: bytes.toString('base64') },
  )
}

/** Checks all that can be checked of a page without a person. */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']).analyze()
  const found = violations.map(({ id, nodes }) => `${page.url()} ${id}: ${nodes.map(({ html }) => html).join(' ')}`)
  expect(found).toEqual([])
}

/** Checks that nothing lies beside the window. */
export async function expectFits(page: Page): Promise<void> {
  const beside = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  await expect.poll(beside, { message: page.url() }).toBeLessThanOrEqual(0)
}

/** Looks at a room as those do who cannot see it, on a desk and on a phone. */
export async function expectOpenToAll(page: Page): Promise<void> {
  for (const width of [1440, 390]) {
    await page.setViewportSize({ width, height: 844 })
    await expectAccessible(page)
    await expectFits(page)
  }
  await page.setViewportSize({ width: 1440, height: 900 })
}

/** Walks to an address without loading the page anew. */
export async function walk(page: Page, path: string): Promise<void> {
  await page.evaluate((path) => {
    const link = document.createElement('a')
    link.href = path
    document.body.append(link)
    link.click()
    link.remove()
  }, path)
}

export { expect }
