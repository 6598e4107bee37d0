import { PLAIN, type Strip } from './mix'

/** A stretch in seconds, and what it is called. */
export interface NamedLoop {
  start_secs: number
  end_secs: number
  name: string
}

/** How a song was left. */
export interface Workspace {
  strips: Record<string, Strip>
  loop: NamedLoop | null
  /** 1 is as recorded. */
  speed: number
  semitones: number
  /** 0 is off. */
  click: number
  countInBars: number
}

export const SLOWEST = 0.25
export const FASTEST = 2
export const MOST_SEMITONES = 12

export const FRESH: Workspace = { strips: {}, loop: null, speed: 1, semitones: 0, click: 0, countInBars: 0 }

/**
 * Workspaces stay in the browser: they are of the ears and the speakers at this desk, change ten times a second while a
 * fader moves, and nobody else asks for them.
 */
const key = (song: string) => `sfa.workspace.${song}`

/** How a song was left here. What does not fit any more is as if it had never been. */
export function restore(song: string): Workspace {
  let kept: Partial<Workspace>
  try {
    kept = (JSON.parse(localStorage.getItem(key(song)) ?? '{}') ?? {}) as Partial<Workspace>
  } catch {
    return FRESH
  }
  return {
    strips: Object.fromEntries(Object.entries(kept.strips ?? {}).map(([kind, strip]) => [kind, stripOf(strip)])),
    loop: loopOf(kept.loop),
    speed: number(kept.speed, SLOWEST, FASTEST, 1),
    semitones: Math.round(number(kept.semitones, -MOST_SEMITONES, MOST_SEMITONES, 0)),
    click: number(kept.click, 0, 1, 0),
    countInBars: Math.round(number(kept.countInBars, 0, 4, 0)),
  }
}

export function keep(song: string, workspace: Workspace): void {
  localStorage.setItem(key(song), JSON.stringify(workspace))
}

function number(value: unknown, least: number, most: number, usual: number): number {
  return typeof value === 'number' && value >= least && value <= most ? value : usual
}

function stripOf(strip: Partial<Strip> | undefined): Strip {
  return {
    volume: number(strip?.volume, 0, 1, PLAIN.volume),
    pan: number(strip?.pan, -1, 1, PLAIN.pan),
    isMuted: strip?.isMuted === true,
    isSoloed: strip?.isSoloed === true,
  }
}

function loopOf(loop: Partial<NamedLoop> | null | undefined): NamedLoop | null {
  const start_secs = number(loop?.start_secs, 0, Infinity, -1)
  const end_secs = number(loop?.end_secs, 0, Infinity, -1)
  return start_secs >= 0 && end_secs > start_secs ? { start_secs, end_secs, name: String(loop?.name ?? '') } : null
}
