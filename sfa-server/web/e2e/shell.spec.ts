import { enter, expect, test } from './house'
import { missing } from './machine'

test.skip(missing !== '', missing)

test('without a server there is a shell, which keeps nothing that is not the page', async ({ page, house, complaints }) => {
  await enter(page, house)
  await page.evaluate(() => navigator.serviceWorker.ready)
  await page.reload()
  await expect(page.getByRole('button', { name: /^Log out/ })).toBeVisible()
  const kept = await page.evaluate(async () => {
    const names = await caches.keys()
    const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()))
    return { caches: names.length, paths: requests.flat().map(({ url }) => new URL(url).pathname) }
  })
  expect(kept.caches).toBe(1)
  expect(kept.paths).toContain('/')
  expect(kept.paths.filter((path) => !/^\/($|assets\/|icon|manifest)/.test(path))).toEqual([])

  await house.stop()
  await page.goto(`${house.address}/settings`)
  await expect(page.getByRole('heading', { name: 'The studio is offline' })).toBeVisible()
  await house.start()
  await expect(page.getByRole('button', { name: /^Log out/ })).toBeVisible()
  // A browser itself complains about a server that does not answer.
  complaints.length = 0
})
