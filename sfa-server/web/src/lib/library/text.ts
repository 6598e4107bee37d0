import type { Job } from '$lib/api/client'

/** Text as it is searched: lower case, without accents. */
export function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{Mn}/gu, '').toLowerCase()
}

/** 95653 as "1:36". */
export function clock(duration_ms: number | null | undefined): string {
  if (duration_ms == null) return '–'
  const secs = Math.round(duration_ms / 1000)
  const [hours, minutes, rest] = [Math.floor(secs / 3600), Math.floor(secs / 60) % 60, secs % 60]
  const tail = `${minutes.toString().padStart(hours ? 2 : 1, '0')}:${rest.toString().padStart(2, '0')}`
  return hours ? `${hours}:${tail}` : tail
}

/** Seconds as "1:36.4". */
export function fineClock(secs: number): string {
  const tenths = Math.max(0, Math.round(secs * 10))
  return `${Math.floor(tenths / 600)}:${Math.floor((tenths % 600) / 10).toString().padStart(2, '0')}.${tenths % 10}`
}

/** Bytes as people read them. */
export function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${value.toFixed(unit === 0 || value >= 100 ? 0 : 1)} ${units[unit]}`
}

// To make one takes longer than a frame has for a whole list.
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' })
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
const TIME = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' })

/** A moment as a date. */
export function day(at_ms: number): string {
  return DAY.format(at_ms)
}

/** A moment as a date and a time of day. */
export function moment(at_ms: number): string {
  return MOMENT.format(at_ms)
}

/** A time of day: "at 14:05:09". */
export function clockTime(at_ms: number): string {
  return `at ${TIME.format(at_ms)}`
}

/** A time of day to the millisecond. */
export function exactTime(at_ms: number): string {
  return new Date(at_ms).toLocaleTimeString(undefined, { hourCycle: 'h23', hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 })
}

/** How long something took: "340 ms", "4.2 s", "3 min 20 s", "2 h 5 min". */
export function lasting(took_ms: number): string {
  if (took_ms < 1000) return `${Math.max(0, Math.round(took_ms))} ms`
  if (took_ms < 59_950) return `${(took_ms / 1000).toFixed(1)} s`
  const secs = Math.round(took_ms / 1000)
  if (secs < 3600) return `${Math.floor(secs / 60)} min ${secs % 60} s`
  return `${Math.floor(secs / 3600)} h ${Math.floor(secs / 60) % 60} min`
}

/** What comes of work that is tried again: "Attempt 2 of 3, at 14:05:09". */
export function nextAttempt({ attempt, max_attempts, next_attempt_at_ms }: Pick<Job, 'attempt' | 'max_attempts' | 'next_attempt_at_ms'>): string {
  return `Attempt ${attempt + 1} of ${max_attempts}${next_attempt_at_ms == null ? '' : `, ${clockTime(next_attempt_at_ms)}`}`
}

/** "super_admin" as "Super admin". */
export function words(name: string): string {
  const spaced = name.replaceAll('_', ' ')
  return spaced.charAt(0).toUpperCase() + spaced.slice(1)
}

/** "1 song", "2 songs". */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`
}
