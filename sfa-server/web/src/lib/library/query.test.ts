import { expect, test } from 'vitest'
import type { Song } from '$lib/api/client'
import { entry, parse, sorted } from './query'

function song(title: string, more: Partial<Song> = {}): Song {
  const file = { name: 'a.wav', size_bytes: 1, hash: 'a', url: '/a' }
  return { id: title, title, created_at_ms: 0, status: 'ready', file, ...more }
}
const LIBRARY = [
  song('Aérodynamique', { artist: 'Daft Punk', duration_ms: 207_000, analysis: { bpm: 123.2, camelot: '8A', key: 'A minor', energy: 7, lufs: -9.5 } }),
  song('Teardrop', { artist: 'Massive Attack', album: 'Mezzanine', analysis: { bpm: 77, camelot: '9A', key: 'E minor', energy: 4, lufs: -13 } }),
  song('Drums', { status: 'working' }),
].map((song) => entry(song))

function found(text: string): string[] {
  return LIBRARY.filter(parse(text).test).map(({ song }) => song.title)
}

test('words are found whatever their case, accents and order', () => {
  expect(found('punk aerodyn')).toEqual(['Aérodynamique'])
  expect(found('MEZZA')).toEqual(['Teardrop'])
  expect(found('')).toHaveLength(3)
  expect(found('-punk')).toEqual(['Teardrop', 'Drums'])
})

test('filters take ranges, bounds and plain numbers', () => {
  expect(found('bpm:120-128')).toEqual(['Aérodynamique'])
  expect(found('bpm:123')).toEqual(['Aérodynamique'])
  expect(found('bpm:>77')).toEqual(['Aérodynamique'])
  expect(found('bpm:>=77')).toHaveLength(2)
  expect(found('energy:<7')).toEqual(['Teardrop'])
  expect(found('lufs:-14--10')).toEqual(['Teardrop'])
  expect(found('length:200..210')).toEqual(['Aérodynamique'])
})

test('keys are known by their three names and by what mixes with them', () => {
  expect(found('key:8a')).toEqual(['Aérodynamique'])
  expect(found('key:Em')).toEqual(['Teardrop'])
  expect(found('key:"a minor"')).toEqual(['Aérodynamique'])
  expect(found('key:8A+')).toHaveLength(2)
  expect(found('key:12A+')).toEqual([])
})

test('filters of text and of state', () => {
  expect(found('artist:"massive attack"')).toEqual(['Teardrop'])
  expect(found('status:working')).toEqual(['Drums'])
  expect(found('-status:analyzed')).toEqual(['Drums'])
})

test('what is no filter is said and hides nothing', () => {
  expect(found('bpm:fast')).toHaveLength(3)
  expect(parse('bpm:fast').problems[0]).toContain('bpm:120')
  expect(parse('mood:happy').problems[0]).toContain('energy')
})

test('songs without a value come last, whichever way', () => {
  const titles = (isDescending: boolean) => sorted(LIBRARY, 'bpm', isDescending).map(({ song }) => song.title)
  expect(titles(false)).toEqual(['Teardrop', 'Aérodynamique', 'Drums'])
  expect(titles(true)).toEqual(['Aérodynamique', 'Teardrop', 'Drums'])
})

test('songs of which files are gone are found', () => {
  const gone = song('Gone')
  const missing = { track: gone.id, is_song_gone: true, results_gone: 0 }
  expect([entry(gone, missing), ...LIBRARY].filter(parse('status:missing').test).map(({ song }) => song.title)).toEqual(['Gone'])
})
