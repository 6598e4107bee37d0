import { fold } from '$lib/library/text'

/** From the gravest on. */
export const LEVELS = ['error', 'warn', 'info', 'debug', 'trace'] as const
export type Level = (typeof LEVELS)[number]

/** What the server tells of a line of its log. */
export interface Entry {
  /** Counts within the server's process. */
  number: number
  at_ms: number
  level: Level
  target: string
  message: string
  fields: Record<string, unknown>
}

/** An entry with the text that is searched in, made once. */
export interface Line extends Entry {
  text: string
}

export function lineOf(entry: Entry): Line {
  return { ...entry, text: fold([entry.message, entry.target, shownFields(entry)].join(' ')) }
}

/** Whether only trouble is told: a server that logs more tells at least of who opened the studio. */
export function isTerse(lines: readonly Line[]): boolean {
  return lines.every(({ level }) => level === 'error' || level === 'warn')
}

/** Which lines are shown: all that is named has to fit. */
export interface Filter {
  /** At least as grave as this. */
  level: Level
  /** What the name of the part of the program begins with. */
  target: string
  text: string
  job: string
}

export const EVERYTHING: Filter = { level: 'trace', target: '', text: '', job: '' }

export function shows({ level, target, text, job }: Filter): (line: Line) => boolean {
  const least = LEVELS.indexOf(level)
  const words = fold(text).split(/\s+/).filter(Boolean)
  return (line) =>
    LEVELS.indexOf(line.level) <= least &&
    line.target.startsWith(target.trim()) &&
    (!job.trim() || line.fields.job_id === job.trim()) &&
    words.every((word) => line.text.includes(word))
}

/** The fields as one text: `status=200 duration_ms=4`; times and names, which are long and say little, come last. */
export function shownFields({ fields }: Pick<Entry, 'fields'>): string {
  const isDull = ([name]: [string, unknown]) => Number(/_(ms|id)$/.test(name))
  return Object.entries(fields)
    .sort((a, b) => isDull(a) - isDull(b))
    .map(([name, value]) => `${name}=${shownValue(value)}`)
    .join(' ')
}

export function shownValue(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/**
 * What is known after a snapshot: the lines of before, where the snapshot goes on from them; else, as after a restart of
 * the server, only what it tells.
 */
export function joined(known: readonly Line[], told: readonly Line[]): Line[] {
  const last = known.at(-1)
  const isSame = last !== undefined && told.some(({ number, at_ms }) => number === last.number && at_ms === last.at_ms)
  return isSame ? [...known, ...told.filter(({ number }) => number > last.number)] : [...told]
}
