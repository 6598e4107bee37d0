import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Line, type News, type Wire } from './line'

class FakeWire implements Wire {
  static all: FakeWire[] = []
  sent: Record<string, unknown>[] = []
  onopen: (() => void) | null = null
  onmessage: ((message: { data: unknown }) => void) | null = null
  onclose: ((event: { code: number }) => void) | null = null

  constructor() {
    FakeWire.all.push(this)
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>)
  }
  close(): void {
    this.onclose?.({ code: 1000 })
  }
  hear(piece: object): void {
    this.onmessage?.({ data: JSON.stringify(piece) })
  }
}

let refused = 0
let line: Line
const last = () => FakeWire.all.at(-1)!
const snapshot = (seq: number) => ({ type: 'snapshot', topic: 'library', seq, data: {} })
const event = (seq: number) => ({ type: 'event', topic: 'library', seq, kind: 'track.added', payload: {} })

beforeEach(() => {
  vi.useFakeTimers()
  FakeWire.all = []
  refused = 0
  line = new Line(() => new FakeWire(), () => {}, () => (refused += 1))
  line.open()
})
afterEach(() => vi.useRealTimers())

function follow(): number[] {
  const heard: number[] = []
  line.follow('library', (news: News) => heard.push(news.seq))
  return heard
}

test('a lost connection comes back by itself and goes on after the last event', () => {
  const heard = follow()
  last().onopen?.()
  expect(last().sent).toEqual([{ type: 'subscribe', topic: 'library' }])
  last().hear(snapshot(4))
  last().hear(event(5))
  last().onclose?.({ code: 1006 })
  vi.advanceTimersByTime(1000)
  expect(FakeWire.all).toHaveLength(2)
  last().onopen?.()
  expect(last().sent).toEqual([{ type: 'subscribe', topic: 'library', after: 5 }])
  last().hear(event(6))
  expect(heard).toEqual([4, 5, 6])
})

test('what is told twice is heard once, and a gap asks for a snapshot', () => {
  const heard = follow()
  last().onopen?.()
  last().hear(snapshot(4))
  last().hear(event(4))
  last().hear(event(7))
  expect(heard).toEqual([4])
  expect(last().sent.at(-1)).toEqual({ type: 'subscribe', topic: 'library' })
  last().hear(event(8))
  last().hear(snapshot(8))
  expect(heard).toEqual([4, 8])
})

test('it waits longer each time, and not at all when the network says that it is back', () => {
  for (const wait_ms of [250, 500, 1000]) {
    const tries = FakeWire.all.length
    last().onclose?.({ code: 1006 })
    vi.advanceTimersByTime(wait_ms - 1)
    expect(FakeWire.all).toHaveLength(tries)
    vi.advanceTimersByTime(1)
    expect(FakeWire.all).toHaveLength(tries + 1)
  }
  last().onclose?.({ code: 1006 })
  line.hurry()
  expect(FakeWire.all).toHaveLength(5)
})

test('who is signed out does not come back', () => {
  last().onclose?.({ code: 4401 })
  vi.advanceTimersByTime(60_000)
  expect(refused).toBe(1)
  expect(FakeWire.all).toHaveLength(1)
})

test('the last follower of a topic unsubscribes', () => {
  last().onopen?.()
  const [stopOne, stopOther] = [line.follow('track:a', () => {}), line.follow('track:a', () => {})]
  stopOne()
  expect(last().sent.at(-1)).toEqual({ type: 'subscribe', topic: 'track:a' })
  stopOther()
  expect(last().sent.at(-1)).toEqual({ type: 'unsubscribe', topic: 'track:a' })
})
