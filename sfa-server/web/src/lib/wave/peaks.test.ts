import { expect, test } from 'vitest'
import { column, following, levelFor, within, zoomed } from './peaks'

const level = (frames_per_point: number, max: number[]) => ({ frames_per_point, min: max.map((at) => -at), max, low: max, mid: max, high: max })
const LEVELS = [level(512, [0, 10, 127, 10]), level(2048, [127])]

test('the level fits the zoom', () => {
  expect(levelFor(LEVELS, 4000)?.frames_per_point).toBe(2048)
  expect(levelFor(LEVELS, 600)?.frames_per_point).toBe(512)
  expect(levelFor(LEVELS, 10)?.frames_per_point).toBe(512)
  expect(levelFor([], 10)).toBeUndefined()
})

test('no peak is lost between two pixels', () => {
  expect(column(LEVELS[0]!, 0, 2048).max).toBeCloseTo(127 / 128)
  expect(column(LEVELS[0]!, 0, 512).max).toBe(0)
  expect(column(LEVELS[0]!, 5000, 6000).max).toBe(0)
})

test('zooming keeps the place it is about, and stays within the song', () => {
  const view = { start_secs: 0, span_secs: 100 }
  const near = zoomed(view, 0.5, 50, 100)
  expect(near).toEqual({ start_secs: 25, span_secs: 50 })
  expect(zoomed(near, 10, 50, 100)).toEqual(view)
  expect(zoomed(view, 1e-9, 50, 100).span_secs).toBe(1)
  expect(within({ start_secs: 90, span_secs: 50 }, 100).start_secs).toBe(50)
})

test('with the samples it zooms to single ones', () => {
  expect(zoomed({ start_secs: 50, span_secs: 1 }, 1e-9, 50.5, 100, 0.002).span_secs).toBe(0.002)
})

test('the song runs past the playhead, except at its ends', () => {
  const view = { start_secs: 0, span_secs: 10 }
  expect(following(view, 1, 100)).toEqual(view)
  expect(following(view, 54, 100)).toEqual({ start_secs: 50, span_secs: 10 })
  expect(following(view, 99, 100)).toEqual({ start_secs: 90, span_secs: 10 })
})
