import { beforeEach, expect, test } from 'vitest'
import { Engine } from './engine'

const FRAMES = 4096
const BLOCK = 128
let engine: Engine

/** Two channels that count their frames, so that every output frame says which one it is. */
beforeEach(() => {
  engine = new Engine()
  engine.do({ type: 'load', frames: FRAMES, channels: 2 })
  const counting = Int16Array.from({ length: FRAMES }, (_, at) => at)
  for (const channel of [0, 1]) fill(channel, counting)
})

function fill(channel: number, samples: Int16Array, start = 0): void {
  engine.do({ type: 'fill', channel, start, left: samples, right: samples })
}

function render(frames: number): Float32Array {
  const all = new Float32Array(frames)
  for (let at = 0; at < frames; at += BLOCK) {
    const left = new Float32Array(Math.min(BLOCK, frames - at))
    engine.render(left, new Float32Array(left.length))
    all.set(left, at)
  }
  return all
}

/** Lets the fade at the start pass. */
function settle(): void {
  engine.do({ type: 'play' })
  render(256)
}

test('channels are in step to the sample and their sum is exact', () => {
  settle()
  const out = render(1024)
  for (const [at, sample] of out.entries()) expect(sample * 32768).toBe(2 * (256 + at))
})

test('a loop is as long as it says, again and again', () => {
  settle()
  engine.do({ type: 'loop', loop: { start: 300, end: 400 } })
  const out = render(512)
  for (const [at, sample] of out.entries()) {
    const frame = 256 + at < 400 ? 256 + at : 300 + ((256 + at - 400) % 100)
    expect(sample * 32768).toBe(2 * frame)
  }
})

test('a muted channel goes quiet without a step', () => {
  settle()
  engine.do({ type: 'gain', channel: 0, gain: 0 })
  const out = render(512)
  const jump = Math.max(...out.slice(1).map((sample, at) => Math.abs(sample - (out[at] ?? 0))))
  expect(jump).toBeLessThan(0.001)
  expect((out.at(-1) ?? 0) * 32768).toBe(256 + 511)
})

test('pausing fades out and stays where it is', () => {
  settle()
  engine.do({ type: 'pause' })
  render(512)
  const { frame, isPlaying } = engine.report()
  expect(isPlaying).toBe(false)
  expect(frame).toBeLessThanOrEqual(256 + 221)
  expect(Math.max(...render(256).map(Math.abs))).toBe(0)
  expect(engine.report().frame).toBe(frame)
})

test('what has not come yet is waited for by all channels', () => {
  engine.do({ type: 'load', frames: FRAMES, channels: 2 })
  const samples = new Int16Array(1024).fill(1)
  fill(0, samples)
  fill(0, samples, 1024)
  fill(1, samples)
  engine.do({ type: 'play' })
  render(2048)
  expect(engine.report()).toMatchObject({ frame: 1024, isPlaying: true, isWaiting: true })
  fill(1, samples, 1024)
  render(512)
  expect(engine.report()).toMatchObject({ frame: 1536, isWaiting: false })
})

test('it stops at the end, and begins anew from there', () => {
  engine.do({ type: 'seek', frame: FRAMES - 100 })
  engine.do({ type: 'play' })
  render(256)
  expect(engine.report()).toMatchObject({ frame: FRAMES, isPlaying: false })
  engine.do({ type: 'play' })
  render(128)
  expect(engine.report()).toMatchObject({ frame: 128, isPlaying: true })
})

test('wild commands are bounded', () => {
  engine.do({ type: 'seek', frame: -5 })
  expect(engine.report().frame).toBe(0)
  engine.do({ type: 'seek', frame: 1e12 })
  expect(engine.report().frame).toBe(FRAMES)
  engine.do({ type: 'gain', channel: 9, gain: 1 })
  engine.do({ type: 'fill', channel: 0, start: FRAMES - 1, left: new Int16Array(10), right: new Int16Array(10) })
})
