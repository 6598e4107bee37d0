import type { Page } from '@playwright/test'
import { drop, enter, expect, expectAccessible, test, WORK } from './house'
import { missing } from './machine'

const SONG_SECS = 12
const PLACE_SECS = 6.5

test.use({ place: 'cues' })
test.describe.configure({ mode: 'serial' })
test.skip(missing !== '', missing)

const cues = (page: Page) => page.getByRole('region', { name: 'Cues and loops' })
const rows = (page: Page) => cues(page).getByRole('listitem')
const position = (page: Page) => page.getByRole('slider', { name: 'Position in the song' })

async function openSong(page: Page): Promise<void> {
  await page.getByRole('region', { name: 'Songs' }).getByRole('link', { name: 'First Light' }).click()
  await page.getByRole('button', { name: 'Play First Light', exact: true }).click()
  await page.getByRole('button', { name: 'Pause First Light', exact: true }).click()
  await page.locator('body').press('Home')
}

test('hot cues are set and found again by keyboard', async ({ page, house }) => {
  await enter(page, house)
  const headers = { 'content-type': 'application/json' }
  await page.evaluate((headers) => fetch('/api/v1/settings', { method: 'PUT', headers, body: '{"steps": ["analyze"]}' }), headers)
  await drop(page, 'First Light.wav', await house.song(SONG_SECS))
  await expect(page.getByRole('region', { name: 'Songs' })).toContainText(/12[34]\.\d/, WORK)
  await page.locator('body').press('j')
  await openSong(page)

  await page.locator('body').press('Shift+Digit1')
  await expect(rows(page)).toHaveCount(1)
  await page.locator('body').press('ArrowRight')
  await page.locator('body').press('Shift+Digit3')
  await expect(rows(page)).toHaveCount(2)
  // Pressed again, one is jumped to.
  await page.locator('body').press('Home')
  await page.locator('body').press('Shift+Digit3')
  await expect(position(page)).toHaveAttribute('aria-valuenow', '5')
  // The first that is free.
  await page.locator('body').press('ArrowRight')
  await page.locator('body').press('c')
  await expect(cues(page).getByRole('button', { name: 'Hot cue 2: Cue' })).toBeVisible()
  await page.locator('body').press('Control+z')
  await expect(rows(page)).toHaveCount(2)
  await expect(cues(page).getByRole('button', { name: 'Set hot cue 2' })).toBeVisible()
})

test('a cue is named, coloured and moved by its form and by hand, removed and undone', async ({ page, house }) => {
  await enter(page, house)
  await openSong(page)
  const second = rows(page).nth(1)
  await second.getByRole('button', { name: /^Edit/ }).press('Enter')
  await cues(page).getByLabel('Name').fill('Vocals in')
  await cues(page).getByLabel('Name').press('Control+z')
  await expect(rows(page), 'the field undoes its own text').toHaveCount(2)
  await cues(page).getByLabel('Name').fill('Vocals in')
  await cues(page).getByLabel('At second').fill(String(PLACE_SECS))
  await cues(page).getByRole('radio', { name: 'Colour 4' }).press('Space')
  // From the one that has it.
  await cues(page).getByRole('combobox', { name: /^Hot cue/ }).selectOption({ label: '1, now Cue' })
  for (const width of [1440, 390]) {
    await page.setViewportSize({ width, height: 844 })
    await expectAccessible(page)
  }
  await page.setViewportSize({ width: 1440, height: 900 })
  await cues(page).getByLabel('Name').press('Enter')
  await expect(second).toContainText('0:06.5')
  await expect(cues(page).getByRole('button', { name: 'Hot cue 1: Vocals in' })).toBeVisible()

  await position(page).scrollIntoViewIfNeeded()
  const box = (await position(page).boundingBox())!
  const flag_px = box.x + (PLACE_SECS / SONG_SECS) * box.width + 5
  await page.mouse.move(flag_px, box.y + 28)
  await page.mouse.down()
  await page.mouse.move(flag_px + box.width / 8, box.y + 28, { steps: 5 })
  await page.mouse.up()
  await expect(second).not.toContainText('0:06.5')
  await expect(second).toContainText('Vocals in')
  await page.locator('body').press('Control+z')
  await expect(second).toContainText('0:06.5')

  await second.getByRole('button', { name: /^Edit/ }).click()
  await cues(page).getByRole('button', { name: 'Delete', exact: true }).click()
  await expect(rows(page)).toHaveCount(1)
  await page.locator('body').press('Control+z')
  await expect(rows(page)).toHaveCount(2)
  // What was done to it before it went is undone as well, with the hot cue that it took.
  await page.locator('body').press('Control+z')
  await expect(cues(page)).not.toContainText('Vocals in')
  await expect(cues(page).getByRole('button', { name: 'Hot cue 1: Cue' })).toBeVisible()
  await expect(cues(page).getByRole('button', { name: 'Hot cue 3: Cue' })).toBeVisible()
})

test('a loop is kept, and is there after a reload', async ({ page, house }) => {
  await enter(page, house)
  await openSong(page)
  await page.getByRole('button', { name: 'Loop 2 bars' }).click()
  await page.locator('body').press('Shift+L')
  await expect(rows(page)).toHaveCount(3)
  await page.reload()
  await expect(rows(page)).toHaveCount(3)
  const looping = rows(page).getByRole('button', { name: /^Loop 2 bars from/ })
  await looping.click()
  await expect(looping).toHaveAttribute('aria-pressed', 'true')
})

test('two tabs agree about cues', async ({ page, context, house }) => {
  await enter(page, house)
  await openSong(page)
  await expect(rows(page)).toHaveCount(3)
  const other = await context.newPage()
  await other.goto(page.url())
  await expect(rows(other)).toHaveCount(3)

  await page.locator('body').press('Shift+Digit8')
  await expect(rows(page)).toHaveCount(4)
  const added = cues(other).getByRole('button', { name: 'Hot cue 8: Cue' })
  await expect(added).toBeVisible()
  await rows(other).first().getByRole('button', { name: /^Edit/ }).click()
  await cues(other).getByLabel('Name').fill('From afar')
  await cues(other).getByLabel('Name').press('Enter')
  await expect(rows(page).first()).toContainText('From afar')
  await page.locator('body').press('Control+z')
  await expect(added).toHaveCount(0)
  await expect(rows(other)).toHaveCount(3)
  await other.close()
})
