import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
// A refused request is part of what is tested here, and browsers complain about each.
import { expect, test } from '@playwright/test'
import { EMAIL, expectAccessible, House, PASSWORD } from './house'
import { missing } from './machine'

test.skip(missing !== '', missing)

const folder = mkdtempSync(join(tmpdir(), 'sfa-mail-'))
const house = new House(['--mail-url', `file:${folder}`, '--mail-from', 'studio@example.org', '--public-url', 'http://songs.example.org'])

test.beforeAll(() => house.start())
test.afterAll(async () => {
  await house.close()
  rmSync(folder, { recursive: true, force: true })
})

/** What stands behind the address in the newest letter. */
async function link(page: string): Promise<string> {
  let found: string | undefined
  await expect
    .poll(() => {
      const letters = readdirSync(folder).filter((name) => name.endsWith('.eml')).sort()
      const text = letters.map((name) => readFileSync(join(folder, name), 'utf8')).at(-1) ?? ''
      found = new RegExp(`/link/${page}#sfa_[0-9a-f]{64}`).exec(text.replaceAll('=\r\n', ''))?.[0]
      return found
    })
    .toBeDefined()
  return found ?? ''
}

test('links in mail sign in and set a new password, and what is dangerous asks once more', async ({ page }) => {
  const setUp = { token: house.setUpToken, name: 'Ann', email: EMAIL, password: PASSWORD }
  expect((await page.request.post(`${house.address}/api/v1/setup`, { data: setUp })).status()).toBe(201)
  await page.context().clearCookies()

  await page.goto(house.address)
  await page.getByLabel('E-mail').fill(EMAIL)
  await page.getByRole('button', { name: 'Mail me a link' }).click()
  await expect(page.getByRole('status')).toContainText('on its way')
  await page.goto(`${house.address}${await link('sign-in')}`)
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
  await expectAccessible(page)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('button', { name: /^Log out/ })).toBeVisible()

  const refusal = { error: { code: 'reauthentication_required', message: 'prove it', request_id: 'x' } }
  await page.goto(`${house.address}/settings/tokens`)
  await page.getByLabel('What it is for').fill('script')
  await expect(page.getByRole('region', { name: 'Tokens' })).toBeVisible()
  await page.route('**/api/v1/tokens', (route) => route.fulfill({ status: 403, json: refusal }), { times: 1 })
  await page.getByRole('button', { name: 'Make it' }).click()
  const question = page.getByRole('dialog', { name: 'Is it still you?' })
  await question.getByLabel('Password').fill('not the password')
  await question.getByRole('button', { name: 'Go on' }).click()
  await expect(question.getByRole('alert')).toContainText('not your password')
  await question.getByLabel('Password').fill(PASSWORD)
  await question.getByRole('button', { name: 'Go on' }).click()
  await expect(page.getByText('Copy it now')).toBeVisible()
  await expect(question).toHaveCount(0)

  await page.context().clearCookies()
  await page.goto(house.address)
  await page.getByLabel('E-mail').fill(EMAIL)
  await page.getByRole('button', { name: 'Set a new one' }).click()
  await expect(page.getByRole('status')).toContainText('on its way')
  await page.goto(`${house.address}${await link('reset-password')}`)
  await page.getByLabel('The new password').fill('another long password')
  await page.getByRole('button', { name: 'Choose a new password' }).click()
  await expect(page.getByRole('button', { name: /^Log out/ })).toBeVisible()
})
