import { readFileSync } from 'node:fs'
import type { Page } from '@playwright/test'
import { drop, enter, expect, expectAccessible, test, WORK } from './house'
import { missing } from './machine'
import { pitch_hz, readWav, residual_db, toneWav, type Wav } from './wav'

const SONG_SECS = 9
const TONE_HZ = 440
const TONE_SECS = 4

test.describe.configure({ mode: 'serial' })
test.skip(missing !== '', missing)

async function openSong(page: Page, name: string): Promise<void> {
  await page.getByRole('region', { name: 'Songs' }).getByRole('link', { name }).click()
  await page.getByRole('button', { name: `Play ${name}`, exact: true }).click()
  await page.getByRole('button', { name: `Pause ${name}`, exact: true }).click()
  await expect(page.getByRole('button', { name: /^Save (mix|loop)$/ })).toBeEnabled(WORK)
}

/** What the player renders, as the file that it hands over. */
async function saved(page: Page): Promise<Wav> {
  const coming = page.waitForEvent('download')
  await page.getByRole('button', { name: /^Save (mix|loop)$/ }).click()
  return readWav(readFileSync(await (await coming).path()))
}

/** A stem as the browser decodes it. */
async function decoded(page: Page, kind: string): Promise<Float32Array> {
  const text = await page.evaluate(async (kind) => {
    const track = location.pathname.split('/').at(-1) ?? ''
    const { data } = (await (await fetch(`/api/v1/tracks/${track}/stems`)).json()) as { data: { kind: string; file: { url: string } }[] }
    const file = await (await fetch(data.find((stem) => stem.kind === kind)?.file.url ?? '')).arrayBuffer()
    const audio = await new OfflineAudioContext(2, 1, 44_100).decodeAudioData(file)
    const bytes = new Uint8Array(audio.getChannelData(0).slice().buffer)
    let letters = ''
    for (let at = 0; at < bytes.length; at += 8192) letters += String.fromCharCode(...bytes.subarray(at, at + 8192))
    return btoa(letters)
  }, kind)
  return new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer)
}

const setSlider = (page: Page, label: string, value: number) =>
  page.getByLabel(label, { exact: true }).evaluate((slider: HTMLInputElement, value) => {
    slider.value = String(value)
    slider.dispatchEvent(new Event('input', { bubbles: true }))
  }, value)

test('two songs are made ready', async ({ page, house }) => {
  const song = await house.song(SONG_SECS)
  await enter(page, house)
  await drop(page, 'First Light.wav', song)
  await drop(page, 'Tone.wav', toneWav(TONE_HZ, TONE_SECS))
  const work = page.getByRole('complementary', { name: 'Work' })
  await expect(work.getByText('Imported')).toHaveCount(2)
  await expect(page.getByRole('region', { name: 'Songs' })).toContainText(/12[34]\.\d/, WORK)
  await expect(work.getByRole('button', { name: /^Cancel/ })).toHaveCount(0, WORK)
})

test('stems start on the same sample, and their sum is the song', async ({ page, house }) => {
  const song = readWav(await house.song(SONG_SECS))
  await enter(page, house)
  await openSong(page, 'First Light')
  const sum = await saved(page)
  expect(sum.left.length).toBe(song.left.length)
  expect(residual_db(sum.left, song.left)).toBeLessThan(-60)
  expect(residual_db(sum.right, song.right)).toBeLessThan(-60)
  const stems = page.getByRole('region', { name: 'Stems' })
  for (const [at, kind] of ['vocals', 'drums', 'bass', 'other'].entries()) {
    await page.locator('body').press(String(at + 1))
    const name = kind.charAt(0).toUpperCase() + kind.slice(1)
    await expect(stems.getByRole('button', { name: `Solo ${name}`, exact: true })).toHaveAttribute('aria-pressed', 'true')
    expect(residual_db((await saved(page)).left, await decoded(page, kind)), kind).toBeLessThan(-80)
  }
})

test('the original is compared with the mix at the same loudness', async ({ page, house }) => {
  const song = readWav(await house.song(SONG_SECS))
  await enter(page, house)
  await openSong(page, 'First Light')
  await page.getByRole('button', { name: 'Reset the mixer' }).click()
  await page.locator('body').press('o')
  await expect(page.getByRole('button', { name: 'Original' })).toHaveAttribute('aria-pressed', 'true')
  await expect.poll(async () => residual_db((await saved(page)).left, song.left), WORK).toBeLessThan(-80)
  await page.locator('body').press('o')
  await expect(page.getByRole('button', { name: 'Mix', exact: true })).toHaveAttribute('aria-pressed', 'true')
})

test('a loop is as long as its bars, to the sample, and is found again', async ({ page, house }) => {
  await enter(page, house)
  await openSong(page, 'First Light')
  await page.locator('body').press('Home')
  await page.getByRole('button', { name: 'Loop 2 bars' }).click()
  const downbeats = await page.evaluate(async () => {
    const track = location.pathname.split('/').at(-1) ?? ''
    const { data } = (await (await fetch(`/api/v1/tracks/${track}/analysis`)).json()) as {
      data: { analysis: { rhythm: { beats: { time_secs: number; bar_position: number }[] } } }
    }
    return data.analysis.rhythm.beats.filter(({ bar_position }) => bar_position === 1).map(({ time_secs }) => time_secs)
  })
  const frame = (secs = 0) => Math.round(secs * 44_100)
  expect((await saved(page)).left.length).toBe(frame(downbeats[2]) - frame(downbeats[0]))

  const end = page.getByRole('slider', { name: 'End of the loop' })
  const before = await end.getAttribute('aria-valuetext')
  await end.press('ArrowLeft')
  await expect(end).not.toHaveAttribute('aria-valuetext', before ?? '')
  await expectAccessible(page)
  const moved = await end.getAttribute('aria-valuetext')
  await page.reload()
  await page.getByRole('button', { name: 'Play First Light', exact: true }).click()
  await expect(end).toHaveAttribute('aria-valuetext', moved ?? '')
  await page.locator('body').press('l')
  await expect(end).toHaveCount(0)
})

test('speed leaves the pitch alone, and pitch the length', async ({ page, house }) => {
  await enter(page, house)
  await openSong(page, 'Tone')
  const frames = TONE_SECS * 44_100
  const plain = await saved(page)
  expect(plain.left.length).toBe(frames)
  await setSlider(page, 'Speed', 0.5)
  const slow = await saved(page)
  expect(slow.left.length).toBe(frames * 2)
  expect(Math.abs(pitch_hz(slow) / TONE_HZ - 1)).toBeLessThan(0.005)
  await setSlider(page, 'Speed', 1)
  await setSlider(page, 'Pitch', 7)
  const high = await saved(page)
  expect(high.left.length).toBe(frames)
  expect(Math.abs(pitch_hz(high) / (TONE_HZ * 2 ** (7 / 12)) - 1)).toBeLessThan(0.005)
})

// Whether the sound breaks off is a matter of the machine: `npm run measure` counts that.
test('four stems play slower and higher', async ({ page, house }) => {
  await enter(page, house)
  await openSong(page, 'First Light')
  await setSlider(page, 'Speed', 0.8)
  await setSlider(page, 'Pitch', 3)
  await page.getByRole('button', { name: 'Loop 2 bars' }).click()
  const player = page.getByRole('region', { name: 'Player' })
  await player.getByRole('button', { name: 'Play', exact: true }).click()
  await expect(player.getByText('80 %')).toBeVisible()
  const place = () => player.getByRole('slider', { name: 'Position in First Light' }).getAttribute('aria-valuetext')
  const first = await place()
  await expect.poll(place).not.toBe(first)
})

test('pictures answer to hand and keys, and are saved', async ({ page, house }) => {
  await enter(page, house)
  await openSong(page, 'First Light')
  const wheel = page.getByRole('slider', { name: 'Note wheel: value' })
  await wheel.focus()
  await wheel.press('ArrowRight')
  await expect(wheel).toHaveAttribute('aria-valuetext', /^C♯ [01]\.\d\d$/)
  await expect(page.getByRole('region', { name: 'Note wheel' })).toContainText(/C♯ [01]\.\d\d/)

  const energy = page.getByRole('region', { name: 'Energy' })
  const timeline = energy.getByRole('slider')
  await timeline.click({ position: { x: 5, y: 20 } })
  await expect(timeline).toHaveAttribute('aria-valuetext', /^0:00\.\d of 0:09\.0, /)
  await timeline.press('PageUp')
  await expect(timeline).toHaveAttribute('aria-valuetext', /^0:09\.0 of/)

  const file = async (name: string) => {
    const coming = page.waitForEvent('download')
    await energy.getByRole('button', { name }).click()
    const download = await coming
    return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) }
  }
  const png = await file('Save Energy as PNG')
  expect([png.name, png.bytes.subarray(1, 4).toString()]).toEqual(['energy.png', 'PNG'])
  const svg = await file('Save Energy as SVG')
  expect(svg.name).toBe('energy.svg')
  expect(svg.bytes.toString()).toMatch(/^<svg .*<path d="M.*<\/svg>$/s)

  await energy.getByRole('button', { name: 'Table of Energy' }).click()
  await expect(energy.getByRole('region', { name: 'Energy as a table' }).getByRole('row')).not.toHaveCount(0)
  await expectAccessible(page)
})
