import { expect, expectOpenToAll, test } from './house'
import { missing } from './machine'

test.skip(missing !== '', missing)

test('the reference of the API is read and searched by everybody', async ({ page, house }) => {
  await page.goto(`${house.address}/api/v1/reference`)
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('API')
  const listed = page.locator('#get_tracks')
  const account = page.locator('#patch_me')
  await expect(account).toBeVisible()
  await page.keyboard.press('/')
  await expect(page.getByRole('searchbox', { name: 'Search' })).toBeFocused()
  await page.keyboard.type('list songs')
  await expect(page.getByRole('status')).toHaveText(/^\d+ found$/)
  await expect(listed).toBeVisible()
  await expect(account).toBeHidden()
  // A link leads to its place even if that was not searched for.
  await page.evaluate(() => (location.hash = '#patch_me'))
  await expect(account).toBeVisible()
  await expect(page.getByRole('searchbox')).toHaveValue('')
  await expectOpenToAll(page)
})

test('it leads back to the studio', async ({ page, house }) => {
  await page.goto(`${house.address}/api/v1/reference`)
  await page.getByRole('link', { name: 'Studio' }).click()
  await expect(page).toHaveURL(`${house.address}/`)
})
