import { createServer } from 'node:net'
// Somebody who is not believed is part of what is tested here, and browsers complain about each.
import { expect, test } from '@playwright/test'
import { enter, expectAccessible, House, walk } from './house'
import { missing } from './machine'
import { Provider } from './provider'

test.describe.configure({ mode: 'serial' })
test.skip(missing !== '', missing)

const provider = new Provider()
let house: House

/** A port that nobody listens at: where browsers are sent back to is said before the server starts. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}

test.beforeAll(async () => {
  await provider.open()
  const address = `http://127.0.0.1:${await freePort()}`
  house = new House(['--public-url', address, '--oidc-issuer', provider.issuer, '--oidc-client-id', 'sfa'])
  house.address = address
  await house.start()
})
test.afterAll(async () => {
  await house.close()
  provider.close()
})

test('an account elsewhere is linked, and signs in from then on', async ({ page }) => {
  await enter(page, house)
  await walk(page, '/settings/account')
  const elsewhere = page.getByRole('region', { name: 'Account elsewhere' })
  await elsewhere.getByRole('button', { name: 'Link it' }).press('Enter')
  await expect(elsewhere.getByRole('button', { name: 'Unlink it' })).toBeVisible()
  await expect(page).toHaveURL(/\/settings\/account$/)
  await page.getByRole('button', { name: /^Log out/ }).click()

  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
  await expectAccessible(page)
  await page.getByRole('link', { name: 'Sign in with 127.0.0.1' }).press('Enter')
  await expect(page.getByRole('button', { name: 'Log out Ann' })).toBeVisible()
  await expect(page).toHaveURL(`${house.address}/`)
})

test('who is not known here is told so, and how to go on', async ({ page }) => {
  provider.person = { ...provider.person, sub: '43', name: 'Ben', email: 'ben@elsewhere.example' }
  await page.goto(house.address)
  await page.getByRole('link', { name: 'Sign in with 127.0.0.1' }).click()
  await expect(page.getByRole('heading', { name: 'Signing in did not work' })).toBeVisible()
  await expectAccessible(page)
  await page.getByRole('link', { name: 'To the studio' }).click()
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
})
