import { readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { fileURLToPath } from 'node:url'
import type { Page } from '@playwright/test'
import { build } from 'vite'
import { drop, enter, expect, test, walk } from '../e2e/house'
import { missing } from '../e2e/machine'

const SONG_SECS = 30
const PLAY_SECS = 60
const TRACKS = 10_000
const LATE_MS = 20

test.describe.configure({ mode: 'serial' })
test.skip(missing !== '', missing)

/** Prints a number beside what it should be at most. */
function tell(what: string, value: number, most: number, unit: string): void {
  console.log(`${value <= most ? 'ok  ' : 'OVER'} ${what}: ${Math.round(value * 100) / 100} ${unit} (at most ${most})`)
}

/** What a page takes to load, as its browser sees it. */
async function watchLoad(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const seen = { lcp_ms: 0, shift: 0, songs_ms: 0, long_ms: [] as number[] }
    Object.assign(window, { seen })
    const watch = (type: string, act: (entry: PerformanceEntry & { value?: number }) => void) =>
      new PerformanceObserver((list) => list.getEntries().forEach(act)).observe({ type, buffered: true })
    watch('largest-contentful-paint', ({ startTime }) => (seen.lcp_ms = startTime))
    watch('layout-shift', ({ value }) => (seen.shift += value ?? 0))
    watch('longtask', ({ duration }) => seen.long_ms.push(duration))
    new MutationObserver((_, observer) => {
      if (!document.querySelector('[aria-label=Songs] a')) return
      observer.disconnect()
      requestAnimationFrame(() => setTimeout(() => (seen.songs_ms = performance.now())))
    }).observe(document, { childList: true, subtree: true })
  })
}

const seen = (page: Page) => page.evaluate(() => (window as unknown as { seen: { lcp_ms: number; shift: number; songs_ms: number; long_ms: number[] } }).seen)

/**
 * The shares of frames that come late by the clock, and of those that another one was lost before, in per cent, while
 * something goes on.
 */
async function lateFrames(page: Page, secs: number): Promise<{ late_percent: number; lost_percent: number; worst_ms: number; frames: number }> {
  return page.evaluate(
    ({ secs, LATE_MS }) =>
      new Promise((resolve) => {
        const gaps: number[] = []
        const stampGaps: number[] = []
        let last = performance.now()
        let lastStamp = last
        const end = last + secs * 1000
        const late = (gaps: number[]) => (gaps.filter((gap) => gap > LATE_MS).length / gaps.length) * 100
        const step = (stamp: number) => {
          const now = performance.now()
          gaps.push(now - last)
          stampGaps.push(stamp - lastStamp)
          ;[last, lastStamp] = [now, stamp]
          if (now < end) requestAnimationFrame(step)
          else resolve({ late_percent: late(gaps), lost_percent: late(stampGaps), worst_ms: Math.max(...gaps), frames: gaps.length })
        }
        requestAnimationFrame(step)
      }),
    { secs, LATE_MS },
  )
}

test('what has to be fetched before anything is seen', () => {
  const dist = fileURLToPath(new URL('../dist/', import.meta.url))
  const page = readFileSync(`${dist}index.html`, 'utf8')
  const size_kb = (names: string[]) => names.reduce((sum, name) => sum + gzipSync(readFileSync(`${dist}assets/${name}`), { level: 9 }).length, 0) / 1024
  const named = readdirSync(`${dist}assets`).filter((name) => page.includes(name))
  tell('JavaScript, compressed', size_kb(named.filter((name) => name.endsWith('.js'))), 90, 'KB')
  tell('CSS, compressed', size_kb(named.filter((name) => name.endsWith('.css'))), 20, 'KB')
})

test('a song is opened and played for a minute, slower and higher, with a waveform that scrolls', async ({ page, house }) => {
  test.setTimeout(600_000)
  const song = await house.song(SONG_SECS)
  await enter(page, house)
  await drop(page, 'First Light.wav', song)
  const work = page.getByRole('complementary', { name: 'Work' })
  await expect(page.getByRole('region', { name: 'Songs' })).toContainText(/12[34]\.\d/, { timeout: 300_000 })
  await expect(work.getByRole('button', { name: /^Cancel/ })).toHaveCount(0, { timeout: 300_000 })

  await watchLoad(page)
  await page.reload()
  await expect(page.getByRole('region', { name: 'Songs' })).toBeVisible()
  await page.waitForLoadState('networkidle')
  const load = await seen(page)
  tell('largest paint', load.lcp_ms, 500, 'ms')
  tell('layout shift', load.shift, 0, '')
  tell('long tasks', load.long_ms.length, 0, `(${load.long_ms.map(Math.round).join(', ')} ms)`)

  await page.addInitScript(() => {
    const Plain = AudioContext
    window.AudioContext = class extends Plain {
      constructor(options?: AudioContextOptions) {
        super(options)
        Object.assign(window, { context: this })
      }
    }
  })
  await page.reload()
  await page.getByRole('region', { name: 'Songs' }).getByRole('link', { name: 'First Light' }).click()
  await page.getByRole('button', { name: 'Play First Light', exact: true }).click()
  await expect(page.getByRole('button', { name: 'Save mix' })).toBeEnabled({ timeout: 60_000 })
  for (const [label, value] of [['Speed', 0.8], ['Pitch', 2]] as const) {
    await page.getByLabel(label, { exact: true }).evaluate((slider: HTMLInputElement, value) => {
      slider.value = String(value)
      slider.dispatchEvent(new Event('input', { bubbles: true }))
    }, value)
  }
  await page.getByRole('button', { name: 'Loop 8 bars' }).click()
  for (let zoom = 0; zoom < 5; zoom += 1) await page.getByRole('button', { name: 'Zoom in' }).click()
  await page.waitForTimeout(1000)
  const underruns = () => page.evaluate(() => (window as unknown as { context: { playbackStats?: { underrunEvents: number } } }).context.playbackStats?.underrunEvents ?? -1)
  const before = await underruns()
  const { late_percent, lost_percent, worst_ms, frames } = await lateFrames(page, PLAY_SECS)
  tell('lost frames', lost_percent, 0.5, '%')
  tell('late frames', late_percent, 0.5, `% of ${frames}, worst ${Math.round(worst_ms)} ms`)
  tell('breaks in the sound', (await underruns()) - before, 0, '')
})

test('the whole waveform of ten minutes is drawn at once', async ({ page }) => {
  const entry = fileURLToPath(new URL('../src/lib/wave/draw.ts', import.meta.url))
  const built = await build({ logLevel: 'silent', configFile: false, build: { write: false, lib: { entry, name: 'wave', formats: ['iife'] } } })
  const [program] = Array.isArray(built) ? built : []
  const code = program?.output[0].code ?? ''
  await page.goto('about:blank')
  await page.addScriptTag({ content: code })
  const draw_ms = await page.evaluate(() => {
    const rate_hz = 44_100
    const levels = [256, 1024, 4096].map((frames_per_point) => {
      const values = (most: number) => Array.from({ length: Math.ceil((600 * rate_hz) / frames_per_point) }, (_, at) => Math.round(most * Math.abs(Math.sin(at * 0.37))))
      return { frames_per_point, min: values(-127), max: values(127), low: values(255), mid: values(255), high: values(255) }
    })
    const analysis = { waveform: { sample_rate_hz: rate_hz, levels } }
    const canvas = Object.assign(document.createElement('canvas'), { width: 1400, height: 36 })
    document.body.append(canvas)
    const context = canvas.getContext('2d')
    const { drawWave } = (window as unknown as { wave: { drawWave: (...given: unknown[]) => void } }).wave
    const times = Array.from({ length: 21 }, () => {
      const start = performance.now()
      drawWave(context, analysis, { start_secs: 0, span_secs: 600 }, { width: 1400, top: 0, height: 36 })
      // Strokes are only noted until somebody looks.
      context?.getImageData(0, 0, 1, 1)
      return performance.now() - start
    })
    return times.sort((a, b) => a - b)[10] ?? Infinity
  })
  tell('overview of ten minutes', draw_ms, 20, 'ms')
})

test('a page of ten minutes', async ({ page, house }) => {
  await enter(page, house)
  await page.route('**/analysis', async (route) => {
    const answer = await route.fetch()
    const body = (await answer.json()) as { data: { analysis: { duration_secs: number; waveform: { levels: Record<string, number[] | number>[] } } } }
    const { analysis } = body.data
    const factor = Math.ceil(600 / analysis.duration_secs)
    analysis.duration_secs *= factor
    for (const level of analysis.waveform.levels) {
      for (const [name, values] of Object.entries(level)) if (Array.isArray(values)) level[name] = Array.from({ length: factor }, () => values).flat()
    }
    await route.fulfill({ json: body })
  })
  await page.getByRole('region', { name: 'Songs' }).getByRole('link', { name: 'First Light' }).click()
  await expect(page.getByRole('region', { name: 'Waveform' })).toBeVisible()
  const client = await page.context().newCDPSession(page)
  await client.send('Performance.enable')
  const script_ms = async () => ((await client.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0) * 1000
  await page.waitForTimeout(2000)
  const before = await script_ms()
  await page.setViewportSize({ width: 1400, height: 900 })
  await page.waitForTimeout(1000)
  tell('all pictures of ten minutes drawn anew', (await script_ms()) - before, 200, 'ms')
})

test('a library of ten thousand songs', async ({ page, house }) => {
  await enter(page, house)
  const [model] = ((await (await page.request.get(`${house.address}/api/v1/tracks`)).json()) as { data: Record<string, unknown>[] }).data
  const songs = Array.from({ length: TRACKS }, (_, at) => ({
    ...model,
    id: `00000000-0000-7000-8000-${at.toString().padStart(12, '0')}`,
    title: `Song ${at}`,
    artist: `Artist ${at % 700}`,
    album: `Album ${at % 1500}`,
  }))
  await page.route(/\/api\/v1\/tracks(\?.*)?$/, (route) => {
    const query = new URL(route.request().url()).searchParams
    const limit = Number(query.get('limit') ?? 50)
    const start = Number(query.get('after') ?? 0)
    const next = start + limit < TRACKS ? String(start + limit) : null
    return route.fulfill({ json: { data: songs.slice(start, start + limit), next } })
  })
  await watchLoad(page)
  await page.reload()
  await expect(page.getByText('Song 1', { exact: true }).first()).toBeVisible()
  tell('first songs', (await seen(page)).songs_ms, 300, 'ms, with what the driver takes to answer')
  await expect(page.getByText('10,000 songs')).toBeVisible({ timeout: 60_000 })
  const key_ms = await page.evaluate(async () => {
    const box = document.querySelector<HTMLInputElement>('[role=searchbox], input[type=search]')
    if (!box) return Infinity
    const times: number[] = []
    for (const text of ['a', 'ar', 'art', 'arti', 'artis', 'artist', 'artist 6', 'artist 69']) {
      const start = performance.now()
      box.value = text
      box.dispatchEvent(new Event('input', { bubbles: true }))
      await Promise.resolve()
      document.body.getBoundingClientRect()
      times.push(performance.now() - start)
      await new Promise(requestAnimationFrame)
    }
    return Math.max(...times)
  })
  tell('a key in the search', key_ms, 16, 'ms')
  await page.getByRole('searchbox').fill('')
  await walk(page, '/')
  await page.evaluate(() => {
    const list = document.querySelector('[aria-label=Songs]')
    const scroll = () => {
      list?.scrollBy(0, 40)
      document.getElementById('room')?.scrollBy(0, 40)
      requestAnimationFrame(scroll)
    }
    scroll()
  })
  const { late_percent, lost_percent, worst_ms, frames } = await lateFrames(page, 5)
  tell('lost frames while scrolling', lost_percent, 0, '%')
  tell('late frames while scrolling', late_percent, 0, `% of ${frames}, worst ${Math.round(worst_ms)} ms`)
})
