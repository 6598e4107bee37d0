import type { components } from '$lib/api/schema'

/** Something that happened to a job. */
export type Moment = components['schemas']['MomentView']

/** A stretch of a job's life. */
export interface Span {
  /** Waiting for a worker, being worked on, or waiting for another attempt. */
  kind: 'waits' | 'works' | 'rests'
  start_ms: number
  end_ms: number
}

export const SPAN_NAMES: Record<Span['kind'], string> = { waits: 'Waited', works: 'Was worked on', rests: 'Waited for another attempt' }

export const MOMENT_NAMES: Record<string, string> = {
  queued: 'Put into the queue',
  started: 'Begun by a worker',
  progressed: 'Further',
  failed: 'An attempt failed',
  put_off: 'Put off',
  completed: 'Done',
  cancelled: 'Cancelled',
  discarded: 'Failed for good',
}

const BEGINS: Record<string, Span['kind'] | null> = {
  queued: 'waits',
  started: 'works',
  failed: 'rests',
  put_off: 'rests',
  completed: null,
  cancelled: null,
  discarded: null,
}

/** What a job spent its time with; what is not over lasts until now. */
export function spansOf(moments: readonly Moment[], now_ms: number): Span[] {
  const turns: { kind: Span['kind'] | null; at_ms: number }[] = []
  for (const { at_ms, kind: what } of moments) {
    // Of several attempts only the last beginning is known: the others are known by their progress.
    const kind = what === 'progressed' ? 'works' : BEGINS[what]
    if (kind !== undefined && kind !== turns.at(-1)?.kind) turns.push({ kind, at_ms })
  }
  return turns.flatMap(({ kind, at_ms: start_ms }, at) => {
    const end_ms = turns[at + 1]?.at_ms ?? now_ms
    return kind && end_ms > start_ms ? [{ kind, start_ms, end_ms }] : []
  })
}

/** How far a job was, when: from 0 at each beginning. */
export function progressOf(moments: readonly Moment[]): { at_ms: number; progress: number }[] {
  return moments.flatMap(({ at_ms, kind, progress }) => {
    if (kind === 'started' || kind === 'queued') return [{ at_ms, progress: 0 }]
    if (kind === 'completed') return [{ at_ms, progress: 100 }]
    return progress == null ? [] : [{ at_ms, progress }]
  })
}
