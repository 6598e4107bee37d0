import { beforeEach, expect, test, vi } from 'vitest'
import { PLAIN } from './mix'
import { FRESH, keep, restore } from './workspace'

const store = new Map<string, string>()
beforeEach(() => {
  store.clear()
  vi.stubGlobal('localStorage', { getItem: (key: string) => store.get(key) ?? null, setItem: (key: string, value: string) => store.set(key, value) })
})

test('a song is found as it was left', () => {
  const left = {
    strips: { drums: { ...PLAIN, volume: 0.4, pan: -0.5, isMuted: true } },
    loop: { start_secs: 1, end_secs: 3, name: 'A–B' },
    speed: 0.75,
    semitones: -2,
    click: 0.5,
    countInBars: 1,
  }
  keep('one', left)
  expect(restore('one')).toEqual(left)
  expect(restore('two')).toEqual(FRESH)
})

test.each(['not json', 'null', '[]', '7', '{"strips":{"drums":null},"loop":{"start_secs":5,"end_secs":1},"speed":900,"semitones":"up","click":-1}'])(
  'what makes no sense is forgotten: %s',
  (text) => {
    store.set('sfa.workspace.one', text)
    expect(restore('one')).toMatchObject({ loop: null, speed: 1, semitones: 0, click: 0 })
  },
)
