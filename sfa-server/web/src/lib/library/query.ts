import type { Missing, Song } from '$lib/api/client'
import { fold } from './text'

/** A song with the text that is searched in, made once. */
export interface Entry {
  song: Song
  text: string
  /** Which of its files are gone, where any are. */
  missing: Missing | undefined
}

export function entry(song: Song, missing?: Missing): Entry {
  return { song, missing, text: fold([song.title, song.artist, song.album].filter(Boolean).join(' ')) }
}

type Test = (entry: Entry) => boolean

/** What was typed, understood. */
export interface Query {
  test: Test
  /** What was meant as a filter and is none, in a sentence each. */
  problems: string[]
}

const NUMBERS: Record<string, (song: Song) => number | null | undefined> = {
  bpm: (song) => song.analysis?.bpm,
  energy: (song) => song.analysis?.energy,
  lufs: (song) => song.analysis?.lufs,
  length: (song) => (song.duration_ms == null ? null : song.duration_ms / 1000),
}
const TEXTS: Record<string, (song: Song) => string | null | undefined> = {
  title: (song) => song.title,
  artist: (song) => song.artist,
  album: (song) => song.album,
}
/** How far from a plain number still is that number: what is shown rounded is found by what is shown. */
const NEAR = 0.5

const DAYS: Record<string, number> = { d: 1, w: 7, m: 30, y: 365 }
const DAY_MS = 24 * 3600 * 1000

export const FILTERS = [...Object.keys(NUMBERS), 'key', ...Object.keys(TEXTS), 'status', 'added']

/**
 * Reads a search: words that title, artist or album contain, and filters such as `bpm:120-128`, `energy:>6`, `key:8A`,
 * `artist:"daft punk"`, `status:ready` and `added:7d`. A minus before a word or filter turns it around.
 */
export function parse(text: string): Query {
  const problems: string[] = []
  const tests: Test[] = []
  for (const [, minus, name, quoted, plain] of text.matchAll(/(-)?(?:([a-z]+):)?(?:"([^"]*)"?|(\S+))/gi)) {
    const value = quoted ?? plain ?? ''
    const test = name === undefined ? word(value) : filter(name.toLowerCase(), value)
    if (typeof test === 'string') problems.push(test)
    else tests.push(minus ? (entry) => !test(entry) : test)
  }
  return { problems, test: (entry) => tests.every((test) => test(entry)) }
}

function word(value: string): Test {
  const wanted = fold(value)
  return (entry) => entry.text.includes(wanted)
}

function filter(name: string, value: string): Test | string {
  const number = NUMBERS[name]
  if (number) {
    const range = parseRange(value)
    if (!range) return `${name}:${value} is not a number; try ${name}:100-120, ${name}:>6 or ${name}:120`
    return ({ song }) => {
      const found = number(song)
      return found != null && found >= range[0] && found <= range[1]
    }
  }
  const own = TEXTS[name]
  if (own) {
    const wanted = fold(value)
    return ({ song }) => fold(own(song) ?? '').includes(wanted)
  }
  if (name === 'key') return key(value)
  if (name === 'added') return added(value)
  if (name === 'status') {
    const wanted = fold(value)
    if (wanted === 'missing') return ({ missing }) => missing !== undefined
    return ({ song }) => (wanted === 'analyzed' ? song.analysis != null : song.status === wanted)
  }
  return `there is no filter ${name}; there are ${FILTERS.join(', ')}`
}

/** `120-128`, `>6`, `>=6`, `<6`, `128`; negative numbers as in `lufs:-14--9`. */
function parseRange(value: string): [number, number] | null {
  const NUMBER = '(-?\\d+(?:\\.\\d+)?)'
  const between = new RegExp(`^${NUMBER}(?:-|\\.\\.)${NUMBER}$`).exec(value)
  if (between) return [Number(between[1]), Number(between[2])]
  const bounded = new RegExp(`^([<>]=?)${NUMBER}$`).exec(value)
  if (bounded) {
    const number = Number(bounded[2])
    if (bounded[1] === '>') return [number + Number.EPSILON * Math.abs(number || 1), Infinity]
    if (bounded[1] === '>=') return [number, Infinity]
    if (bounded[1] === '<') return [-Infinity, number - Number.EPSILON * Math.abs(number || 1)]
    return [-Infinity, number]
  }
  const plain = new RegExp(`^${NUMBER}$`).exec(value)
  return plain ? [Number(plain[1]) - NEAR, Number(plain[1]) + NEAR] : null
}

/** How long ago it came: `7d` and `<7d` are within a week, `>6m` is longer ago; days, weeks, months, years. */
function added(value: string): Test | string {
  const parts = /^([<>]?)(\d+)([dwmy])$/i.exec(value)
  if (!parts) return `added:${value} is no time; try added:7d, added:2w or added:>6m`
  const limit_ms = Date.now() - Number(parts[2]) * (DAYS[(parts[3] ?? 'd').toLowerCase()] ?? 1) * DAY_MS
  return ({ song }) => (parts[1] === '>' ? song.created_at_ms < limit_ms : song.created_at_ms >= limit_ms)
}

/** As on a Camelot wheel (`8A`), as a name (`Am`, `"A minor"`), or `8A+` for all that mix well with it. */
function key(value: string): Test {
  const camelot = /^(\d{1,2})([ab])(\+?)$/i.exec(value)
  if (camelot) {
    const hour = Number(camelot[1])
    const letter = (camelot[2] ?? '').toUpperCase()
    const wanted = new Set([`${hour}${letter}`])
    if (camelot[3]) {
      wanted.add(`${hour}${letter === 'A' ? 'B' : 'A'}`)
      wanted.add(`${(hour % 12) + 1}${letter}`)
      wanted.add(`${((hour + 10) % 12) + 1}${letter}`)
    }
    return ({ song }) => wanted.has(song.analysis?.camelot ?? '')
  }
  const short = /^([a-g][#b]?)(m?)$/i.exec(value)
  const wanted = short ? `${short[1]} ${short[2] ? 'minor' : 'major'}` : value
  return ({ song }) => fold(song.analysis?.key ?? '') === fold(wanted)
}

export const ORDERS = {
  added: { name: 'Added', of: (song: Song) => song.created_at_ms },
  title: { name: 'Title', of: (song: Song) => fold(song.title) },
  artist: { name: 'Artist', of: (song: Song) => fold(song.artist ?? '') },
  bpm: { name: 'BPM', of: (song: Song) => song.analysis?.bpm ?? null },
  key: { name: 'Key', of: (song: Song) => song.analysis?.camelot?.padStart(3, '0') ?? null },
  energy: { name: 'Energy', of: (song: Song) => song.analysis?.energy ?? null },
  length: { name: 'Length', of: (song: Song) => song.duration_ms ?? null },
} as const
export type Order = keyof typeof ORDERS

/** Sorted; what lacks the property comes last either way. */
export function sorted(entries: readonly Entry[], order: Order, isDescending: boolean): Entry[] {
  const { of } = ORDERS[order]
  const keyed = entries.map((entry) => ({ entry, value: of(entry.song) }))
  const sign = isDescending ? -1 : 1
  keyed.sort((a, b) => {
    if (a.value === b.value) return 0
    if (a.value === null || a.value === '') return 1
    if (b.value === null || b.value === '') return -1
    return (a.value < b.value ? -1 : 1) * sign
  })
  return keyed.map(({ entry }) => entry)
}
