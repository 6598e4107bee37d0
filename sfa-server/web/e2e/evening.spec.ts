import type { Page } from '@playwright/test'
import { drop, EMAIL, enter, expect, expectAccessible, expectFits, PASSWORD, test, walk, WORK } from './house'
import { missing } from './machine'

const SONG_SECS = 16

test.describe.configure({ mode: 'serial' })
test.skip(missing !== '', missing)
if (missing) console.log(`The studio is not tested: ${missing}`)

async function openSong(page: Page): Promise<void> {
  await page.getByRole('region', { name: 'Songs' }).getByRole('link', { name: 'First Light' }).click()
  await expect(page.getByRole('slider', { name: 'Position in the song' })).toBeVisible()
}

const position = (page: Page) => page.getByRole('slider', { name: 'Position in First Light' })
const seconds = async (page: Page) => Number(/^(\d+):([\d.]+)/.exec((await position(page).getAttribute('aria-valuetext')) ?? '')?.[2])

test('the first one sets the studio up, drops a song and watches it come apart', async ({ page, house }) => {
  const making = house.song(SONG_SECS)
  await page.goto(house.address)
  await expectAccessible(page)
  await page.getByLabel('Set-up token').fill(house.setUpToken)
  await page.getByLabel('Name').fill('Ann')
  await page.getByLabel('E-mail').fill(EMAIL)
  await page.getByLabel('Password').fill(PASSWORD)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: /Drop songs here/ })).toBeVisible()
  house.hasAccount = true
  await expectAccessible(page)

  const song = await making
  const work = page.getByRole('complementary', { name: 'Work' })
  // Looked for in every frame from now on: so short a song may be done before anybody looks again.
  const working = work.getByRole('progressbar', { name: /First Light/ }).waitFor(WORK)
  await drop(page, 'First Light.wav', song)
  await expect(work.getByText('Imported')).toBeVisible()
  await working
  await expectAccessible(page)
  // Nothing is loaded anew: what the server tells arrives.
  await expect(page.getByRole('region', { name: 'Songs' })).toContainText(/12[34]\.\d/, WORK)
  await expect(work.getByRole('button', { name: /^Cancel/ })).toHaveCount(0, WORK)

  await drop(page, 'again.wav', song)
  await expect(work.getByText('Was here already')).toBeVisible()
  await expect(page.getByText('1 song', { exact: true })).toBeVisible()
})

test('stems are played, soloed and looped while walking through the studio', async ({ page, house }) => {
  await enter(page, house)
  await openSong(page)
  const loop = page.getByRole('button', { name: /^Loop .+ from \d/ }).first()
  await page.getByRole('button', { name: 'Play First Light', exact: true }).click()
  // In a loop it does not end, however slow the machine is.
  await loop.click()
  await expect(loop).toHaveAttribute('aria-pressed', 'true')
  const first = await seconds(page)
  await expect.poll(() => seconds(page)).not.toBe(first)
  const stems = page.getByRole('region', { name: 'Stems' })
  await expect(stems.getByRole('slider', { name: /^Volume/ })).toHaveCount(4)
  await expect(stems.getByRole('slider', { name: /^Pan/ })).toHaveCount(4)
  await expectAccessible(page)

  await page.locator('body').press('1')
  await expect(stems.getByRole('button', { name: 'Solo Vocals', exact: true })).toHaveAttribute('aria-pressed', 'true')
  await stems.getByRole('button', { name: 'Mute Bass' }).click()
  await expect(stems.getByRole('button', { name: 'Mute Bass' })).toHaveAttribute('aria-pressed', 'true')

  await walk(page, '/settings')
  await expect(page.getByRole('heading', { name: 'Settings' })).toBeVisible()
  const before = await seconds(page)
  await expect.poll(() => seconds(page)).not.toBe(before)
  await page.locator('body').press('l')
  await expect(page.getByRole('button', { name: /^Leave the loop/ })).toHaveCount(0)
  await page.locator('body').press('Space')
  await expect(page.getByRole('region', { name: 'Player' }).getByRole('button', { name: 'Play', exact: true })).toBeVisible()
  await page.goBack()
  await expect(stems.getByRole('button', { name: 'Mute Bass' })).toHaveAttribute('aria-pressed', 'true')
})

test('every room is open to everybody: with a keyboard, a screen reader, a phone', async ({ page, house }) => {
  await enter(page, house)
  await openSong(page)
  const song = new URL(page.url()).pathname
  const rooms = [song, '/', '/settings/processing', '/settings/account', '/settings/sessions', '/settings/tokens']
  rooms.push('/settings/keyboard', '/admin/users', '/admin/system', '/admin/audit', '/no/such/room')
  for (const width of [1440, 390]) {
    await page.setViewportSize({ width, height: 844 })
    for (const room of rooms) {
      await walk(page, room)
      await expect(page.locator('#room').getByRole('heading', { level: 1 })).toBeVisible()
      await expect(page.getByRole('status').filter({ hasText: 'Loading' })).toHaveCount(0)
      await expectAccessible(page)
      await expectFits(page)
    }
  }
  await page.locator('body').press('?')
  await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible()
  await expectAccessible(page)
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toHaveCount(0)
  await page.keyboard.press('Control+k')
  await expect(page.getByRole('dialog').getByRole('combobox')).toBeFocused()
  await page.keyboard.type('first light')
  await expectAccessible(page)
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(new RegExp(song))
})

test('the library is searched as one types', async ({ page, house }) => {
  await enter(page, house)
  const songs = page.getByRole('region', { name: 'Songs' })
  await expect(songs).toBeVisible()
  await page.locator('body').press('/')
  await expect(page.getByRole('searchbox')).toBeFocused()
  await page.keyboard.type('bpm:>150')
  await expect(page.getByText('0 songs')).toBeVisible()
  await expect(page).toHaveURL(/q=bpm/)
  await page.getByRole('searchbox').fill('light bpm:120-128')
  await expect(songs.getByRole('link')).toHaveCount(1)
  await page.getByRole('searchbox').fill('mood:happy')
  await expect(page.getByText('there is no filter mood')).toBeVisible()
})

test('a server that comes back is heard again, and two tabs agree', async ({ page, context, house, complaints }) => {
  await enter(page, house)
  const other = await context.newPage()
  await other.goto(house.address)
  await expect(other.getByRole('region', { name: 'Songs' }).getByRole('link', { name: 'First Light' })).toBeVisible()
  await house.stop()
  await expect(page.getByText('The connection is gone')).toBeVisible()
  await house.start()
  for (const tab of [page, other]) await expect(tab.getByText('The connection is gone')).toHaveCount(0)
  // A browser itself complains about sockets that nobody answers.
  complaints.length = 0

  await page.getByRole('checkbox', { name: 'Select First Light' }).check()
  await page.getByRole('button', { name: 'Delete', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click()
  await expect(page.getByRole('heading', { name: /Drop songs here/ })).toBeVisible()
  await expect(other.getByRole('heading', { name: /Drop songs here/ })).toBeVisible()

  await page.getByRole('button', { name: /^Log out/ }).click()
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
})
