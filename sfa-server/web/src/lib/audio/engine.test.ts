import stretch from 'signalsmith-stretch?raw'
import { beforeEach, describe, expect, test } from 'vitest'
import { Engine, type Command } from './engine'
import { programIn } from './stretch.load'

const RATE_HZ = 44_100
const FRAMES = 4096
const BLOCK = 128
let engine: Engine

/** Two channels that count their frames, so that every output frame says which one it is. */
beforeEach(() => {
  engine = new Engine(RATE_HZ)
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
  engine.do({ type: 'gain', channel: 0, gain: { left: 0, right: 0 } })
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
  engine.do({ type: 'pause' })
  expect(engine.report()).toMatchObject({ frame: FRAMES, orders: 3 })
  engine.do({ type: 'gain', channel: 9, gain: { left: 1, right: 1 } })
  engine.do({ type: 'fill', channel: 0, start: FRAMES - 1, left: new Int16Array(10), right: new Int16Array(10) })
})

test('what is silent is not waited for', () => {
  engine.do({ type: 'load', frames: FRAMES, channels: 2 })
  fill(0, new Int16Array(FRAMES).fill(1))
  engine.do({ type: 'gain', channel: 1, gain: { left: 0, right: 0 } })
  engine.do({ type: 'play' })
  render(1024)
  expect(engine.report()).toMatchObject({ frame: 1024, isWaiting: false })
})

test('sides have gains of their own', () => {
  engine.do({ type: 'gain', channel: 1, gain: { left: 0, right: 0 } })
  engine.do({ type: 'gain', channel: 0, gain: { left: 1, right: 0.5 } })
  settle()
  const [left, right] = [new Float32Array(BLOCK), new Float32Array(BLOCK)]
  engine.render(left, right)
  expect(left[7]).toBe(2 * (right[7] ?? 0))
})

describe('the click', () => {
  const loud: Command = { type: 'click', gain: 1, isOn: true }
  /** Where something begins that is not the song. */
  const onsets = (out: Float32Array) => [...out.keys()].filter((at) => Math.abs(out[at + 1] ?? 0) > 0.01 && out.slice(Math.max(0, at - 400), at + 1).every((sample) => Math.abs(sample) < 0.01))

  beforeEach(() => {
    engine.do({ type: 'load', frames: 20_000, channels: 1 })
    fill(0, new Int16Array(20_000))
    engine.do({ type: 'beats', beats: { frames: Int32Array.of(1000, 5000, 9000), accents: Uint8Array.of(1, 0, 0) } })
  })

  test('falls on the very frames of the beats', () => {
    engine.do(loud)
    engine.do({ type: 'play' })
    expect(onsets(render(12_800))).toEqual([1000, 5000, 9000])
  })

  test('goes around with a loop', () => {
    engine.do(loud)
    engine.do({ type: 'loop', loop: { start: 4000, end: 8000 } })
    engine.do({ type: 'play' })
    expect(onsets(render(17_920))).toEqual([1000, 5000, 9000, 13_000, 17_000])
  })

  test('counts in, and the song begins when it should', () => {
    engine.do({ type: 'click', gain: 1, isOn: false })
    engine.do({ type: 'seek', frame: 500 })
    engine.do({ type: 'play', countIn: { clicks: 2, perBar: 4, interval: 3000, lead: 500 } })
    expect(onsets(render(5376))).toEqual([0, 3000])
    // 2 * 3000 - 500 frames before the song.
    expect(engine.report()).toMatchObject({ frame: 500, isCountingIn: true })
    render(BLOCK * 2)
    expect(engine.report()).toMatchObject({ frame: 500 + 5632 - 5500, isCountingIn: false })
  })
})

describe('another speed and pitch', () => {
  const SECS = 2
  const TONE_HZ = 441
  const tone = Int16Array.from({ length: RATE_HZ * SECS }, (_, at) => Math.round(12_000 * Math.sin((2 * Math.PI * TONE_HZ * at) / RATE_HZ)))

  beforeEach(async () => {
    engine.do({ type: 'load', frames: tone.length, channels: 1 })
    fill(0, tone)
    engine.do({ type: 'stretcher', program: await programIn(stretch) })
  })

  /** By how often the signal rises through zero. */
  function pitch_hz(out: Float32Array): number {
    let rises = 0
    for (let at = 1; at < out.length; at += 1) if ((out[at - 1] ?? 0) < 0 && (out[at] ?? 0) >= 0) rises += 1
    return (rises * RATE_HZ) / out.length
  }

  function framesUntilEnd(): number {
    let frames = 0
    while (engine.report().isPlaying && frames < RATE_HZ * 60) {
      render(BLOCK)
      frames += BLOCK
    }
    return frames
  }

  test.each([0.25, 0.5, 0.8, 1.25, 2])('at a speed of %f it lasts as long as that, and keeps its pitch', (speed) => {
    engine.do({ type: 'tempo', speed, semitones: 0 })
    engine.do({ type: 'play' })
    const head = render(BLOCK * 200)
    expect(Math.abs(pitch_hz(head.slice(BLOCK * 20)) - TONE_HZ)).toBeLessThan(4)
    const length = head.length + framesUntilEnd()
    expect(Math.abs(length - tone.length / speed)).toBeLessThan(BLOCK * 2)
  })

  test.each([-12, -5, 3, 12])('%i semitones change the pitch and not the length', (semitones) => {
    engine.do({ type: 'tempo', speed: 1, semitones })
    engine.do({ type: 'play' })
    const head = render(BLOCK * 200)
    expect(Math.abs(pitch_hz(head.slice(BLOCK * 40)) / (TONE_HZ * 2 ** (semitones / 12)) - 1)).toBeLessThan(0.01)
    expect(Math.abs(head.length + framesUntilEnd() - tone.length)).toBeLessThan(BLOCK * 2)
  })

  test('what is heard is where it says, also after a seek, in a loop and after a pause', () => {
    const frame = () => engine.report().frame
    engine.do({ type: 'tempo', speed: 0.5, semitones: 0 })
    engine.do({ type: 'seek', frame: 44_100 })
    engine.do({ type: 'play' })
    render(BLOCK * 100)
    expect(Math.abs(frame() - (44_100 + 6400))).toBeLessThan(2)
    engine.do({ type: 'loop', loop: { start: 48_000, end: 52_000 } })
    render(BLOCK * 100)
    const inLoop = 48_000 + ((50_500 + 6400 - 48_000) % 4000)
    expect(Math.abs(frame() - inLoop)).toBeLessThan(4)
    engine.do({ type: 'pause' })
    render(BLOCK * 4)
    const paused = frame()
    render(BLOCK * 40)
    expect(Math.abs(frame() - paused)).toBeLessThan(1)
  })

  test('back at the speed of the record nothing is changed at all', () => {
    engine.do({ type: 'tempo', speed: 0.7, semitones: 2 })
    engine.do({ type: 'play' })
    render(BLOCK * 50)
    engine.do({ type: 'tempo', speed: 1, semitones: 0 })
    const from = Math.round(engine.report().frame)
    const out = render(1024)
    for (const at of [300, 700, 1000]) expect((out[at] ?? 0) * 32_768).toBeCloseTo(tone[from + at] ?? 0, 2)
  })
})
