import { readdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Page } from '@playwright/test'
import { drop, enter, expect, expectAccessible, PASSWORD, test, walk } from './house'
import { missing } from './machine'
import { toneWav } from './wav'

test.use({ place: 'care' })
test.describe.configure({ mode: 'serial' })
test.skip(missing !== '', missing)

const songs = (page: Page) => page.getByRole('region', { name: 'Songs' })
const work = (page: Page) => page.getByRole('complementary', { name: 'Work' })

test('a super admin sees the studio as a user does, and everybody can see that', async ({ page, house, complaints }) => {
  await enter(page, house)
  await walk(page, '/admin/users')
  await page.getByRole('button', { name: 'Add a user' }).click()
  await page.getByLabel('Name').fill('Ben')
  await page.getByLabel('E-mail').fill('ben@example.org')
  await page.getByLabel('First password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Add', exact: true }).click()
  // As when the last proof is too long ago.
  await page.route('**/impersonate', (route) => route.fulfill({ status: 403, json: { error: { code: 'reauthentication_required', message: 'prove it' } } }), { times: 1 })
  await page.getByRole('button', { name: 'See the studio as Ben' }).click()
  const proof = page.getByRole('dialog', { name: 'Is it still you?' })
  await expect(proof).toBeVisible()
  await expectAccessible(page)
  await proof.getByLabel('Password').fill(PASSWORD)
  await page.keyboard.press('Enter')
  const banner = page.getByRole('region', { name: 'Acting as somebody else' })
  await expect(banner).toContainText('Ann acts as Ben, until')
  // A browser itself complains about what was refused.
  complaints.length = 0
  for (const room of ['/', '/settings', '/settings/keyboard', '/artists']) {
    await walk(page, room)
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: 844 })
      await expect(banner).toBeVisible()
      await expectAccessible(page)
    }
  }
  await page.setViewportSize({ width: 1440, height: 900 })
  await walk(page, '/settings')
  await expect(page.getByRole('link', { name: 'Tokens' })).toHaveCount(0)
  await expect(page.getByRole('link', { name: 'Admin' })).toHaveCount(0)
  await page.reload()
  await page.getByRole('button', { name: 'Be yourself again' }).press('Enter')
  await expect(page.getByRole('heading', { name: 'Administration' })).toBeVisible()
  await expect(banner).toHaveCount(0)
})

test('another tab that acts is noticed', async ({ page, context, house }) => {
  await enter(page, house)
  await walk(page, '/admin/users')
  const other = await context.newPage()
  await other.goto(house.address)
  await expect(other.getByRole('button', { name: /^Log out/ })).toBeVisible()
  await page.getByRole('button', { name: 'See the studio as Ben' }).click()
  const banner = { name: 'Acting as somebody else' }
  await expect(page.getByRole('region', banner)).toBeVisible()
  await expect(other.getByRole('region', banner)).toBeVisible()
  await page.getByRole('button', { name: 'Be yourself again' }).click()
  await expect(page.getByRole('heading', { name: 'Administration' })).toBeVisible()
  await expect(other.getByRole('region', banner)).toHaveCount(0)
  // Both have begun anew: a browser that is closed in the middle of that can wait for ever.
  await expect(other.getByRole('button', { name: /^Log out/ })).toBeVisible()
  await other.close()
})

test('a song whose file is gone is marked, and comes back', async ({ page, house }) => {
  await enter(page, house)
  const headers = { 'content-type': 'application/json' }
  await page.evaluate((headers) => fetch('/api/v1/settings', { method: 'PUT', headers, body: '{"steps": []}' }), headers)
  const song = toneWav(440, 2)
  await drop(page, 'Tone.wav', song)
  await expect(work(page).getByText('Imported')).toBeVisible()
  const { data } = (await (await page.request.get(`${house.address}/api/v1/tracks`)).json()) as { data: { file: { hash: string } }[] }
  const files = readdirSync(join(house.folder, 'data'), { recursive: true, encoding: 'utf8' })
  const lost = files.find((path) => basename(path) === data[0]?.file.hash)
  rmSync(join(house.folder, 'data', lost ?? 'nowhere'))
  // Asking for a file is how the server finds out that it is gone.
  await page.request.get(`${house.address}/api/v1/files/${data[0]?.file.hash}/Tone.wav`)
  await page.reload()
  await expect(songs(page)).toContainText('File missing')
  for (const width of [1440, 390]) {
    await page.setViewportSize({ width, height: 844 })
    await expectAccessible(page)
  }
  // On a phone rows become cards too.
  await page.getByRole('button', { name: 'Show rows, small rows or cards' }).click()
  await page.getByRole('button', { name: 'Show rows, small rows or cards' }).click()
  await expect(songs(page)).toContainText('File missing')
  await page.setViewportSize({ width: 1440, height: 900 })
  await page.getByRole('searchbox').fill('status:missing')
  await songs(page).getByRole('link', { name: 'Tone' }).click()
  const note = page.getByRole('region', { name: 'Missing files' })
  await expect(note).toContainText('Choose or drop the same file once more')
  await expectAccessible(page)
  await drop(page, 'Tone.wav', song)
  await expect(work(page).getByText('Was here already')).toBeVisible()
  await expect(note).toHaveCount(0)
})
