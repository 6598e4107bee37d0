import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Page } from '@playwright/test'
import { drop, enter, expect, test, walk, type House } from '../e2e/house'
import { missing } from '../e2e/machine'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** What the front page of the project shows. */
const FRONT = here('../../../docs/images/')
/** Every room at every width, for whoever changes how the studio looks. */
const ROOMS = here('../test-results/rooms/')
const WIDTHS = [390, 820, 1440]
const HEIGHT = 900
const SHORT_SECS = 24
/** Of five seconds each, into the song. */
const FAR_STEPS = 8

/** Songs that are the demo song at other speeds: by how many semitones. */
const CRATE = [
  { title: 'Night Bus', artist: 'Vera Lund', album: 'Late Lines', semitones: -3 },
  { title: 'Salt Flats', artist: 'Oru', album: 'Salt Flats', semitones: 2 },
  { title: 'Lantern', artist: 'Vera Lund', album: 'Late Lines', semitones: 1 },
  { title: 'Harbour Lights', artist: 'Miko Aalto', album: 'Northern', semitones: -1 },
  { title: 'Paper Moon Base', artist: 'Miko Aalto', album: 'Northern', semitones: 3 },
  { title: 'Second Sunrise', artist: 'Oru', album: 'Salt Flats', semitones: -2 },
  { title: 'Glasshouse', artist: 'Delphine Roy', album: 'Glasshouse', semitones: 4 },
  { title: 'Tram 9', artist: 'Delphine Roy', album: 'Glasshouse', semitones: 0 },
]

test.skip(missing !== '', missing)
test.use({ place: 'pictures', more: ['--log-level', 'info'] })

/** Reads a WAV file faster or slower, by what its header says of its rate. */
function atSpeed(song: Buffer, semitones: number): Buffer {
  const file = Buffer.from(song)
  const rate_hz = Math.round(file.readUInt32LE(24) * 2 ** (semitones / 12))
  const frame_bytes = file.readUInt16LE(32)
  file.writeUInt32LE(rate_hz, 24)
  file.writeUInt32LE(rate_hz * frame_bytes, 28)
  return file
}

async function send(page: Page, method: string, path: string, body: object): Promise<void> {
  const ok = await page.evaluate(
    async ({ method, path, body }) => (await fetch(path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })).ok,
    { method, path, body },
  )
  expect(ok, `${method} ${path}`).toBe(true)
}

const list = async (page: Page, house: House) =>
  ((await (await page.request.get(`${house.address}/api/v1/tracks`)).json()) as { data: { id: string; title: string; status: string }[] }).data

async function expectReady(page: Page, house: House, count: number): Promise<void> {
  await expect.poll(async () => (await list(page, house)).filter(({ status }) => status === 'ready').length, { timeout: 900_000, intervals: [1000] }).toBe(count)
}

/** A crate of short songs, and the demo song with all that can be made of it. */
async function fill(page: Page, house: House): Promise<string> {
  await send(page, 'PUT', '/api/v1/settings', { steps: ['analyze', 'cues'] })
  const short = await house.song(SHORT_SECS)
  for (const { title, semitones } of CRATE) await drop(page, `${title}.wav`, atSpeed(short, semitones))
  await expectReady(page, house, CRATE.length)
  for (const { title, artist, album } of CRATE) {
    const id = (await list(page, house)).find((song) => song.title === title)?.id
    await send(page, 'PATCH', `/api/v1/tracks/${id}`, { artist, album })
  }
  await send(page, 'PUT', '/api/v1/settings', {})
  await drop(page, 'First Light.wav', readFileSync(await house.demo('whole.wav')))
  await expectReady(page, house, CRATE.length + 1)
  const tracks = (await list(page, house)).map(({ id }) => id)
  for (const [name, track_ids] of [['Friday warm-up', tracks.slice(0, 6)], ['Peak time', tracks.slice(4)]] as const) {
    const { data } = (await (await page.request.post(`${house.address}/api/v1/playlists`, { data: { name } })).json()) as { data: { id: string } }
    await send(page, 'PUT', `/api/v1/playlists/${data.id}/tracks`, { track_ids })
  }
  return (await list(page, house)).find(({ title }) => title === 'First Light')?.id ?? ''
}

test('every room is pictured', async ({ page, house }) => {
  await page.goto(house.address)
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: HEIGHT })
    await page.screenshot({ path: `${ROOMS}sign-in-${width}.png` })
  }
  await enter(page, house)
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: HEIGHT })
    await page.screenshot({ path: `${ROOMS}empty-${width}.png` })
  }
  await page.setViewportSize({ width: 1440, height: HEIGHT })
  const song = await fill(page, house)
  await page.evaluate(() => localStorage.setItem('sfa.inspector', 'on'))
  await page.reload()
  await page.getByRole('region', { name: 'Songs' }).getByRole('link', { name: 'First Light' }).click()
  await page.getByRole('button', { name: 'Play First Light', exact: true }).click()
  await expect(page.getByRole('button', { name: 'Save mix' })).toBeEnabled({ timeout: 120_000 })
  await page.getByRole('button', { name: 'Pause First Light', exact: true }).click()
  await page.locator('body').press('Home')
  for (let step = 0; step < FAR_STEPS; step += 1) await page.locator('body').press('ArrowRight')
  await page.mouse.move(700, 5)
  const jobs = (await (await page.request.get(`${house.address}/api/v1/jobs?track=${song}`)).json()) as { data: { id: string; kind: string }[] }
  const job = jobs.data.find(({ kind }) => kind === 'analyze')?.id
  const rooms: [string, string][] = [
    ['track', `/tracks/${song}`],
    ['library', '/'],
    ['artists', '/artists'],
    ['recent', '/recent'],
    ['settings', '/settings'],
    ['models', '/settings/models'],
    ['account', '/settings/account'],
    ['sessions', '/settings/sessions'],
    ['tokens', '/settings/tokens'],
    ['keyboard', '/settings/keyboard'],
    ['inspector', '/inspector'],
    ['inspector-work', '/inspector/work'],
    ['inspector-job', `/inspector/work/${job}`],
    ['admin', '/admin'],
    ['users', '/admin/users'],
    ['jobs', '/admin/jobs'],
    ['system', '/admin/system'],
    ['audit', '/admin/audit'],
  ]
  for (const [name, path] of rooms) {
    await walk(page, path)
    await expect(page.getByRole('status').filter({ hasText: 'Loading' })).toHaveCount(0)
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: HEIGHT })
      await page.waitForTimeout(300)
      expect(await page.evaluate(() => document.documentElement.scrollHeight > innerHeight), `${path} at ${width} px is longer than its window`).toBe(false)
      await page.screenshot({ path: `${ROOMS}${name}-${width}.png` })
    }
  }
  for (const [name, path, width] of [['studio', `/tracks/${song}`, 1440], ['studio-library', '/', 1440], ['studio-phone', `/tracks/${song}`, 390]] as const) {
    await page.setViewportSize({ width, height: width === 390 ? 844 : HEIGHT })
    await walk(page, path)
    await page.waitForTimeout(500)
    await page.screenshot({ path: `${FRONT}${name}.png` })
  }
})
