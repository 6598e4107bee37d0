import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
// A refused request is part of what is tested here, and browsers complain about each.
import { expect, test, type Page } from '@playwright/test'
import { enter, expectAccessible, House } from './house'
import { missing } from './machine'
import { toneWav } from './wav'

test.describe.configure({ mode: 'serial' })
test.skip(missing !== '', missing)

const house = new House(['--allow-private-addresses'])
/** Songs on the web; the last part of a slow one is sent when it is let go, which it can be once it was asked for. */
let web: Server
let letGo: (() => void) | undefined

test.beforeAll(async () => {
  web = createServer((request, response) => {
    const [, hertz] = /^\/tone-(\d+)\.wav/.exec(request.url ?? '') ?? []
    if (!hertz) return void response.writeHead(404).end()
    const song = toneWav(Number(hertz), 2)
    response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': song.length })
    if (!request.url?.includes('slow')) return void response.end(song)
    const half = song.length >> 1
    response.write(song.subarray(0, half))
    letGo = () => response.end(song.subarray(half))
  })
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
  await house.start()
})
test.afterAll(async () => {
  web.closeAllConnections()
  web.close()
  await house.close()
})

const at = (path: string) => `http://127.0.0.1:${(web.address() as AddressInfo).port}${path}`
const work = (page: Page) => page.getByRole('complementary', { name: 'Work' })
const dialog = (page: Page) => page.getByRole('dialog', { name: 'Import from a link' })

/** Carries text to the page as another program does. */
async function hand(page: Page, how: 'paste' | 'drop', text: string): Promise<void> {
  await page.evaluate(
    ({ how, text }) => {
      const data = new DataTransfer()
      data.setData(how === 'paste' ? 'text/plain' : 'text/uri-list', text)
      const inits = { bubbles: true, cancelable: true }
      if (how === 'paste') document.body.dispatchEvent(new ClipboardEvent('paste', { ...inits, clipboardData: data }))
      else for (const kind of ['dragenter', 'dragover', 'drop']) document.body.dispatchEvent(new DragEvent(kind, { ...inits, dataTransfer: data }))
    },
    { how, text },
  )
}

test('a song comes from its link, with progress that a reload does not lose', async ({ page }) => {
  await enter(page, house)
  const headers = { 'content-type': 'application/json' }
  await page.evaluate((headers) => fetch('/api/v1/settings', { method: 'PUT', headers, body: '{"steps": []}' }), headers)
  await page.locator('body').press('u')
  await expect(dialog(page)).toBeVisible()
  await expectAccessible(page)
  await dialog(page).getByLabel('Address of the audio file').fill(at('/tone-440.wav?slow&key=secret'))
  await page.keyboard.press('Enter')
  await expect(dialog(page)).toHaveCount(0)
  const bar = work(page).getByRole('progressbar', { name: 'Fetched of tone-440.wav' })
  await expect(bar).toBeVisible()
  await expectAccessible(page)
  await page.reload()
  await page.getByRole('button', { name: /^Work/ }).click()
  await expect(bar).toBeVisible()
  await expect.poll(() => letGo).toBeDefined()
  letGo?.()
  await expect(work(page).getByText('Imported')).toBeVisible()
  await expect(page.getByRole('region', { name: 'Songs' }).getByRole('link', { name: 'tone-440' })).toBeVisible()
  await work(page).getByRole('button', { name: 'Clear what has ended' }).click()
  await expect(work(page).getByText('Imported')).toHaveCount(0)
})

test('a link is pasted or dropped; the same song is told, not repeated', async ({ page }) => {
  await enter(page, house)
  await hand(page, 'paste', 'see https://songs.example')
  await hand(page, 'paste', at('/tone-550.wav'))
  await expect(work(page).getByText('Imported')).toBeVisible()
  await hand(page, 'drop', `# from a browser\r\n${at('/tone-550.wav?again')}`)
  await expect(work(page).getByText('Was here already')).toBeVisible()
  await expect(page.getByText('2 songs', { exact: true })).toBeVisible()
})

test('what cannot be fetched is said in the words of the server', async ({ page }) => {
  await enter(page, house)
  await page.getByRole('button', { name: 'Import from a link' }).click()
  await dialog(page).getByLabel('Address of the audio file').fill('ftp://songs.example/a.wav')
  await page.keyboard.press('Enter')
  await expect(dialog(page).getByRole('alert')).toContainText('https://')
  await expectAccessible(page)
  await page.keyboard.press('Escape')
  await expect(dialog(page)).toHaveCount(0)
  await hand(page, 'paste', at('/gone.wav'))
  await expect(work(page)).toContainText('404')
  await expect(work(page).getByRole('button', { name: 'Fetch gone.wav again' })).toBeVisible()
  await expectAccessible(page)
  await work(page).getByRole('button', { name: 'Forget gone.wav' }).press('Enter')
  await expect(work(page).getByText('gone.wav')).toHaveCount(0)
})

test('a download is cancelled', async ({ page }) => {
  await enter(page, house)
  await hand(page, 'paste', at('/tone-660.wav?slow'))
  await work(page).getByRole('button', { name: 'Cancel tone-660.wav' }).click()
  await expect(work(page).getByText('tone-660.wav')).toHaveCount(0)
})
