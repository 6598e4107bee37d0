import type { Page } from '@playwright/test'
import { drop, enter, expect, expectAccessible, test, walk } from './house'
import { missing } from './machine'

const SONG_SECS = 10

test.use({ place: 'inspector', more: ['--log-level', 'info'] })
test.describe.configure({ mode: 'serial' })
test.skip(missing !== '', missing)

const lines = (page: Page) => page.locator('#room ol > li')

async function expectOpenToAll(page: Page): Promise<void> {
  for (const width of [1440, 390]) {
    await page.setViewportSize({ width, height: 844 })
    await expectAccessible(page)
    const isTooWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)
    expect(isTooWide, `${page.url()} at ${width} px`).toBe(false)
  }
  await page.setViewportSize({ width: 1440, height: 900 })
}

test('the inspector is there for those who switch it on', async ({ page, house }) => {
  await enter(page, house)
  await expect(page.getByRole('link', { name: 'Inspector' })).toHaveCount(0)
  await walk(page, '/inspector')
  await expect(page.getByText('switched off')).toBeVisible()
  await expectOpenToAll(page)
  await walk(page, '/settings/inspector')
  await page.getByRole('checkbox', { name: /^Show the inspector/ }).press('Space')
  await expectOpenToAll(page)
  await page.getByRole('navigation', { name: 'Rooms' }).first().getByRole('link', { name: 'Inspector' }).press('Enter')
  await expect(page.getByRole('heading', { name: 'Inspector' })).toBeVisible()
})

test('the log is seen as it is written, filtered and held', async ({ page, house }) => {
  await enter(page, house)
  await walk(page, '/inspector')
  await page.getByRole('button', { name: 'Switch it on' }).click()
  const ask = (path: string) => page.evaluate((path) => fetch(path).then(({ headers }) => headers.get('x-request-id')), path)
  await ask('/api/v1/playlists')
  await expect(lines(page).filter({ hasText: 'path=/api/v1/playlists' }).first()).toBeVisible()
  await expectOpenToAll(page)

  await page.locator('body').press('/')
  await page.keyboard.type('status=200 /engines')
  await expect(lines(page)).toHaveCount(0)
  const request = await ask('/api/v1/engines')
  await expect(lines(page)).toHaveCount(1)
  await lines(page).getByRole('button').press('Enter')
  await expect(lines(page)).toContainText(request ?? 'no id')
  await expectOpenToAll(page)
  await page.getByRole('button', { name: `Only lines with request_id ${request}` }).click()
  await expect(page.getByLabel('Text')).toHaveValue(request ?? 'no id')
  await expect(page).toHaveURL(new RegExp(`text=${request}`))
  await page.getByLabel('At least').selectOption('warn')
  await expect(lines(page)).toHaveCount(0)
  await page.getByRole('button', { name: 'Show all' }).click()

  await page.getByLabel('Part of the program').fill('sfa_server')
  await expect(lines(page)).not.toHaveCount(0)
  await page.getByLabel('Part of the program').fill('nobody')
  await expect(lines(page)).toHaveCount(0)
  await page.getByRole('button', { name: 'Show all' }).press('Enter')
  await page.getByRole('searchbox', { name: 'Text' }).fill('/tools')
  await page.locator('body').click({ position: { x: 700, y: 5 } })
  await page.locator('body').press('p')
  await ask('/api/v1/tools')
  await expect(page.getByText(/more lines? since it stands still/)).toBeVisible()
  await expect(lines(page)).toHaveCount(0)
  await page.getByRole('button', { name: 'Let the log go on' }).press('Enter')
  await expect(lines(page)).toHaveCount(1)
})

test('a piece of work is told as a picture, a table, and by what it led to', async ({ page, house }) => {
  await enter(page, house)
  await walk(page, '/inspector')
  await page.getByRole('button', { name: 'Switch it on' }).click()
  const headers = { 'content-type': 'application/json' }
  await page.evaluate((headers) => fetch('/api/v1/settings', { method: 'PUT', headers, body: '{"steps": ["analyze", "cues"]}' }), headers)
  await drop(page, 'First Light.wav', await house.song(SONG_SECS))
  await page.getByRole('link', { name: 'Work', exact: true }).click()
  const row = page.getByRole('region', { name: 'Your work' }).getByRole('row').filter({ hasText: 'Cues' })
  await expect(row).toContainText('Done', { timeout: 120_000 })
  await expectOpenToAll(page)
  await page.getByRole('region', { name: 'Your work' }).getByRole('link', { name: 'Analyze' }).click()
  await expect(page.getByRole('region', { name: 'How it went' }).getByRole('img', { name: /Was worked on/ })).toBeVisible()
  const table = page.getByRole('region', { name: 'What happened, as a table' })
  await expect(table).toContainText('Put into the queue')
  await expect(table).toContainText('Done')
  await expect(page.getByRole('region', { name: 'Its log' })).toContainText('done')
  await expectOpenToAll(page)
  const lineage = page.getByRole('region', { name: 'What led to what' })
  await expect(lineage.getByRole('listitem')).toHaveText([/Analyze/, /Cues/])
  await lineage.getByRole('link', { name: 'Cues' }).press('Enter')
  await expect(lineage.getByRole('link', { name: 'Cues' })).toHaveAttribute('aria-current', 'true')
  await expect(lineage.getByRole('listitem')).toHaveText([/Analyze/, /Cues/])
})
