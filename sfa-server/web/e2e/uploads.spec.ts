import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page, Request } from '@playwright/test'
import { drop, enter, expect, expectAccessible, test, WORK } from './house'
import { missing } from './machine'
import { toneWav } from './wav'

const BYTES_PER_SEC = 6_000_000
/** So slow that what is on its way stays there. */
const CRAWL_BYTES_PER_SEC = 10_000
/** Three pieces of an upload. */
const LONG_SECS = 110

test.use({ place: 'uploads' })
test.describe.configure({ mode: 'serial' })
test.skip(missing !== '', missing)

const work = (page: Page) => page.getByRole('complementary', { name: 'Work' })

/** Comes in; nothing is done to what is imported. */
async function enterIdle(page: Page, house: Parameters<typeof enter>[1]): Promise<void> {
  await enter(page, house)
  const headers = { 'content-type': 'application/json' }
  const ok = await page.evaluate(async (headers) => (await fetch('/api/v1/settings', { method: 'PUT', headers, body: '{"steps": []}' })).ok, headers)
  expect(ok).toBe(true)
}

/** Makes the line so slow that something can happen meanwhile; 0 makes it quick again. */
async function slow(page: Page, bytesPerSec: number): Promise<void> {
  const client = await page.context().newCDPSession(page)
  const uploadThroughput = bytesPerSec || -1
  await client.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput })
}

/** Sends about a half, and next to nothing from then on. */
async function sendHalf(page: Page, name: string, song: Buffer): Promise<void> {
  await slow(page, BYTES_PER_SEC)
  await drop(page, name, song)
  const bar = work(page).getByRole('progressbar', { name: `Sent of ${name}` })
  await expect.poll(async () => Number(await bar.getAttribute('value')), { intervals: [50] }).toBeGreaterThan(45)
  await slow(page, CRAWL_BYTES_PER_SEC)
}

/** From where pieces were sent, as they are. */
function watchPieces(page: Page): { begun: number; offsets: number[] } {
  const seen = { begun: 0, offsets: [] as number[] }
  page.on('request', (request: Request) => {
    if (!request.url().includes('/api/v1/uploads')) return
    if (request.method() === 'POST') seen.begun += 1
    if (request.method() === 'PATCH') seen.offsets.push(Number(request.headers()['upload-offset']))
  })
  return seen
}

test('an upload goes on after the server was killed', async ({ page, house, complaints }) => {
  await enterIdle(page, house)
  const pieces = watchPieces(page)
  await sendHalf(page, 'long.wav', toneWav(440, LONG_SECS))
  await house.kill()
  await expect(work(page)).toContainText('It goes on by itself')
  await expectAccessible(page)
  const before = pieces.offsets.length
  await house.start()
  await slow(page, 0)
  await expect(work(page).getByText('Imported')).toBeVisible(WORK)
  expect(pieces.begun).toBe(1)
  expect(pieces.offsets[before]).toBeGreaterThan(0)
  // A browser itself complains about a server that does not answer.
  complaints.length = 0
})

test('after a reload the same file goes on where it was', async ({ page, house }) => {
  await enterIdle(page, house)
  const song = toneWav(550, LONG_SECS)
  await sendHalf(page, 'other.wav', song)
  await page.reload()
  await expect(work(page)).toContainText(/Stopped at \d+ %/)
  await expectAccessible(page)
  await slow(page, 0)
  const pieces = watchPieces(page)
  await drop(page, 'other.wav', song)
  await expect(work(page).getByText('Imported')).toBeVisible(WORK)
  expect(pieces.begun).toBe(0)
  expect(pieces.offsets[0]).toBeGreaterThan(0)
  await page.reload()
  await expect(page.getByText('2 songs', { exact: true })).toBeVisible()
  await expect(work(page)).toHaveCount(0)
})

test('three are sent at once, paused and cancelled', async ({ page, house }) => {
  await enterIdle(page, house)
  await slow(page, 200_000)
  const names = [1, 2, 3, 4, 5].map((at) => `tone ${at}.wav`)
  for (const [at, name] of names.entries()) await drop(page, name, toneWav(300 + at, 4))
  const pausing = work(page).getByRole('button', { name: /^Pause/ })
  await expect(pausing).toHaveCount(3)
  await expect(work(page).getByText('Waits')).toHaveCount(2)
  await work(page).getByRole('button', { name: 'Pause tone 1.wav' }).press('Enter')
  await expect(work(page)).toContainText('Paused at')
  await expect(work(page).getByText('Waits')).toHaveCount(1)
  const removing = page.waitForResponse((response) => response.request().method() === 'DELETE')
  await work(page).getByRole('button', { name: 'Cancel tone 2.wav' }).press('Enter')
  expect((await removing).status()).toBe(204)
  await slow(page, 0)
  await expect(work(page).getByText('Imported')).toHaveCount(3, WORK)
  await work(page).getByRole('button', { name: 'Go on with tone 1.wav' }).press('Enter')
  await expect(work(page).getByText('Imported')).toHaveCount(4)
  // What was there already is told, not repeated.
  await drop(page, 'again.wav', toneWav(300, 4))
  await expect(work(page).getByText('Was here already')).toBeVisible()
  await work(page).getByRole('button', { name: 'Clear what has ended' }).press('Enter')
  await expect(work(page).getByText('Imported')).toHaveCount(0)
})

test('a folder is dropped with all songs in it', async ({ page, house }) => {
  await enterIdle(page, house)
  const folder = join(house.folder, 'Crate')
  mkdirSync(join(folder, 'Deeper'), { recursive: true })
  writeFileSync(join(folder, 'notes.txt'), 'no song')
  writeFileSync(join(folder, 'one.wav'), toneWav(700, 2))
  writeFileSync(join(folder, 'Deeper', 'two.wav'), toneWav(710, 2))
  const client = await page.context().newCDPSession(page)
  const data = { items: [], files: [folder], dragOperationsMask: 1 }
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) await client.send('Input.dispatchDragEvent', { type, x: 600, y: 400, data })
  await expect(work(page).getByText('Imported')).toHaveCount(2)
  await expect(work(page).getByText('notes.txt')).toHaveCount(0)
})
