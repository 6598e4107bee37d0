import type { Page } from '@playwright/test'
import { drop, EMAIL, expect, expectAccessible, PASSWORD, test, walk, type House } from './house'
import { missing } from './machine'

const SONG_SECS = 14

test.use({ place: 'rooms' })
test.describe.configure({ mode: 'serial' })
test.skip(missing !== '', missing)

/** Signs in, and sets the studio up where nobody has. */
async function enter(page: Page, house: House): Promise<void> {
  await page.goto(house.address)
  await expect(page.getByLabel('Password')).toBeVisible()
  if (await page.getByLabel('Set-up token').isVisible()) {
    await page.getByLabel('Set-up token').fill(house.setUpToken)
    await page.getByLabel('Name').fill('Ann')
  }
  await page.getByLabel('E-mail').fill(EMAIL)
  await page.getByLabel('Password').fill(PASSWORD)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('button', { name: /^Log out/ })).toBeVisible()
}

const songs = (page: Page) => page.getByRole('region', { name: 'Songs' })
const shelves = (page: Page) => page.getByRole('navigation', { name: 'Shelves' })
const dialog = (page: Page) => page.getByRole('dialog')

/** Looks at a room as those do who cannot see it, on a desk and on a phone. */
async function expectOpenToAll(page: Page): Promise<void> {
  for (const width of [1440, 390]) {
    await page.setViewportSize({ width, height: 844 })
    await expectAccessible(page)
    const isTooWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)
    expect(isTooWide, `${page.url()} at ${width} px`).toBe(false)
  }
  await page.setViewportSize({ width: 1440, height: 900 })
}

test('a song is packed for other programs', async ({ page, house }) => {
  await enter(page, house)
  await drop(page, 'Night Bus.wav', await house.song(SONG_SECS))
  await expect(songs(page)).toContainText(/12[34]\.\d/, { timeout: 120_000 })
  const work = page.getByRole('complementary', { name: 'Work' })
  await expect(work.getByRole('button', { name: /^Cancel/ })).toHaveCount(0, { timeout: 60_000 })
  await work.getByRole('button', { name: 'Close the list of work' }).click()

  await page.getByRole('checkbox', { name: 'Select Night Bus' }).check()
  await page.locator('body').press('e')
  const files = dialog(page).getByRole('list', { name: 'Files' })
  await expect(dialog(page).getByRole('button', { name: 'Pack', exact: true })).toBeDisabled()
  await expect(dialog(page)).toContainText('Say in which folder you will unpack it')
  await dialog(page).getByLabel('Folder that you will unpack it in').fill('/Users/ann/SFA')
  await expect(files).toContainText('Music/Night Bus.wav')
  await expect(files).toContainText('rekordbox.xml')
  await expectOpenToAll(page)
  await dialog(page).getByRole('radio', { name: /^DAW/ }).check()
  await dialog(page).getByLabel('Format').selectOption('wav')
  await dialog(page).getByLabel('Bit depth').selectOption('int24')
  await dialog(page).getByLabel('Loudness of the song').selectOption('-23')
  await expect(files).toContainText('drums.wav')
  await expect(files).toContainText('tempo and sections.mid')
  await expectOpenToAll(page)
  await dialog(page).getByRole('button', { name: 'Pack', exact: true }).click()
  const link = dialog(page).getByRole('link', { name: 'Download' })
  await expect(link).toBeVisible({ timeout: 60_000 })
  const downloading = page.waitForEvent('download')
  await link.click()
  const download = await downloading
  expect(download.suggestedFilename()).toBe('Night Bus.zip')
  await page.keyboard.press('Escape')
  await expect(dialog(page)).toHaveCount(0)
  // What was packed is there after a reload too.
  await page.reload()
  await page.locator('body').press('j')
  await expect(work.getByRole('link', { name: /Night Bus\.zip/ })).toBeVisible()
  await expectAccessible(page)
})

test('playlists are made by hand', async ({ page, house }) => {
  await enter(page, house)
  await drop(page, 'Dawn.wav', await house.song(SONG_SECS + 1))
  await expect(songs(page).getByRole('link')).toHaveCount(2)
  await page.getByRole('button', { name: 'New playlist' }).click()
  await dialog(page).getByLabel('Name').fill('Friday')
  await expectAccessible(page)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'Friday', level: 1 })).toBeVisible()
  await expectOpenToAll(page)

  await walk(page, '/')
  await page.locator('body').press('Control+a')
  await page.locator('body').press('a')
  await dialog(page).getByRole('button', { name: /^Friday/ }).click()
  await shelves(page).getByRole('link', { name: /^Friday/ }).click()
  await expect(songs(page).getByRole('link')).toHaveCount(2)
  const titles = () => songs(page).getByRole('link').evaluateAll((links) => links.map((link) => link.getAttribute('title')))
  const before = await titles()
  await page.getByRole('checkbox', { name: `Select ${before[1]}` }).check()
  await page.locator('body').press('Alt+ArrowUp')
  await expect.poll(titles).toEqual([before[1], before[0]])
  await page.getByRole('button', { name: 'Take out' }).click()
  await expect(songs(page).getByRole('link')).toHaveCount(1)
  await page.reload()
  await expect.poll(titles).toEqual([before[0]])
  await page.getByRole('button', { name: 'Rename' }).click()
  await page.getByLabel('Name').fill('Saturday')
  await page.keyboard.press('Enter')
  await expect(shelves(page).getByRole('link', { name: /^Saturday/ })).toBeVisible()
})

test('playlists are made by rules', async ({ page, house }) => {
  await enter(page, house)
  await page.getByRole('searchbox').fill('dawn')
  await page.getByRole('button', { name: 'Save the search as a playlist' }).click()
  await dialog(page).getByLabel('Name').fill('Mornings')
  await expect(dialog(page)).toContainText('Finds 1 song now')
  await dialog(page).getByRole('button', { name: 'Make it' }).click()
  await expect(page.getByRole('heading', { name: 'Mornings', level: 1 })).toBeVisible()
  await expect(songs(page).getByRole('link')).toHaveCount(1)
  await page.getByRole('button', { name: 'Edit' }).click()
  await page.getByLabel('Rules').fill('-dawn')
  await page.keyboard.press('Enter')
  await expect(songs(page).getByRole('link')).toHaveAttribute('title', 'Night Bus')
  await page.getByRole('button', { name: 'Delete Mornings' }).click()
  await dialog(page).getByRole('button', { name: 'Delete' }).click()
  await expect(shelves(page).getByRole('link', { name: /^Mornings/ })).toHaveCount(0)
})

test('songs stand by artist and album, as rows and as cards', async ({ page, house }) => {
  await enter(page, house)
  await songs(page).getByRole('link', { name: 'Dawn' }).click()
  await page.getByRole('button', { name: 'Edit' }).click()
  await page.getByLabel('Artist').fill('Zoë / Ada')
  await page.getByLabel('Album').fill('First Light')
  await page.keyboard.press('Enter')
  await expect(page.getByText('Zoë / Ada · First Light')).toBeVisible()
  await walk(page, '/artists')
  await expectOpenToAll(page)
  await page.getByRole('region', { name: 'Artists' }).getByRole('link', { name: /Zoë/ }).click()
  await expect(page.getByRole('heading', { name: 'Zoë / Ada' })).toBeVisible()
  await expect(songs(page).getByRole('link')).toHaveCount(1)
  await walk(page, '/albums')
  await expectAccessible(page)
  await page.getByRole('region', { name: 'Albums' }).getByRole('link', { name: /First Light/ }).click()
  await expect(songs(page).getByRole('link')).toHaveCount(1)
  await walk(page, '/recent')
  await expect(songs(page).getByRole('link')).toHaveCount(2)
  for (const name of ['Small rows', 'Cards', 'Rows']) {
    await page.getByRole('button', { name, exact: true }).click()
    await expect(songs(page).getByRole('link')).toHaveCount(2)
    await expectAccessible(page)
  }
})

test('every setting has its place, and what cannot be is refused', async ({ page, house, complaints }) => {
  await enter(page, house)
  await walk(page, '/settings/processing')
  await page.getByLabel('Most cues').fill('4')
  await page.getByLabel('Most cues').press('Tab')
  await expect(page.getByText('Saved for the next songs').first()).toBeVisible()
  await page.getByLabel('Overlap').fill('7')
  await page.getByLabel('Overlap').press('Tab')
  await expect(page.getByText(/overlap is 0 to 0.95/)).toBeVisible()
  await expect(page.getByLabel('Overlap')).toHaveValue('0.25')
  // A browser itself complains about what was refused.
  complaints.length = 0
  await page.getByRole('radio', { name: 'One and the rest' }).check()
  await expect(page.getByLabel('The one stem')).toBeVisible()
  await expectOpenToAll(page)
  await page.getByRole('button', { name: 'Back to the defaults' }).click()
  await dialog(page).getByRole('button', { name: 'Set back' }).click()
  await expect(page.getByLabel('Most cues')).toHaveValue('')
  await walk(page, '/settings/models')
  await expect(page.getByRole('heading', { name: 'Models', exact: true })).toBeVisible()
  await expectOpenToAll(page)
})
