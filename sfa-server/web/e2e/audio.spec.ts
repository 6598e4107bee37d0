import { createServer, type ViteDevServer } from 'vite'
import { expect, test } from './house'
import { missing } from './machine'

test.skip(missing !== '', missing)

/** The modules of the player as they are in the sources, for a page to import. */
let modules: ViteDevServer
test.beforeAll(async () => {
  modules = await createServer({ server: { port: 0, host: '127.0.0.1', hmr: false }, logLevel: 'error' })
  await modules.listen()
})
test.afterAll(() => modules.close())

const address = () => {
  const at = modules.httpServer?.address()
  return `http://127.0.0.1:${typeof at === 'object' ? at?.port : ''}`
}

test('a FLAC that is cut into parts is the same to the sample, and the player adds stems up exactly', async ({ page, house }) => {
  const path = await house.demo('song.flac')
  await page.route('**/empty', (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>audio</title>' }))
  await page.route('**/song.flac', (route) => route.fulfill({ path, contentType: 'audio/flac' }))
  await page.goto(`${address()}/empty`)
  const found = await page.evaluate(async () => {
    const { decode } = (await import('/src/lib/audio/decode.ts' as string)) as typeof import('../src/lib/audio/decode')
    const { Engine } = (await import('/src/lib/audio/engine.ts' as string)) as typeof import('../src/lib/audio/engine')
    const whole = await new OfflineAudioContext(2, 1, 44_100).decodeAudioData(await (await fetch('/song.flac')).arrayBuffer())
    const response = await fetch('/song.flac')
    let frames = 0
    let parts = 0
    let different = 0
    const engine = new Engine(44_100)
    const onShape = (shape: { frames: number }) => {
      frames = shape.frames
      engine.do({ type: 'load', frames, channels: 2 })
    }
    for await (const { start, left, right } of decode(response.body as ReadableStream<Uint8Array<ArrayBuffer>>, onShape)) {
      parts += 1
      const expected = whole.getChannelData(0)
      for (const [at, sample] of left.entries()) if (sample !== Math.round((expected[start + at] ?? 9) * 32768)) different += 1
      for (const channel of [0, 1]) engine.do({ type: 'fill', channel, start, left, right })
    }
    // The same stem twice at half the volume is the song again.
    for (const channel of [0, 1]) engine.do({ type: 'gain', channel, gain: { left: 0.5, right: 0.5 } })
    const from = 44_100 * 20
    engine.do({ type: 'seek', frame: from })
    engine.do({ type: 'play' })
    let residual = 0
    const [left, right] = [new Float32Array(128), new Float32Array(128)]
    for (let at = from; at < from + 44_100; at += 128) {
      engine.render(left, right)
      const isFaded = at > from + 512
      if (isFaded) for (const [index, sample] of right.entries()) residual = Math.max(residual, Math.abs(sample - (whole.getChannelData(1)[at + index] ?? 9)))
    }
    return { frames, length: whole.length, parts, different, residual_db: 20 * Math.log10(residual + 1e-9) }
  })
  expect(found).toMatchObject({ frames: found.length, different: 0 })
  expect(found.parts).toBeGreaterThan(10)
  expect(found.residual_db).toBeLessThan(-90)
})
