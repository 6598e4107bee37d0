import { stemLook } from '$lib/audio/stems'
import { fineClock } from '$lib/library/text'
import { COLOURS, faint, SMALL_FONT, thinned, type TimePicture } from '../chart'
import type { MidiNote } from '../midi'
import { NOTES } from './harmony'

/** The notes that one stem plays. */
export interface Voice {
  kind: string
  notes: readonly MidiNote[]
}

/** What MIDI files of notes are called; others hold sections and tempos. */
const STEMS: Record<string, string> = {
  vocals: COLOURS.vocals,
  bass: COLOURS.bass,
  guitar: COLOURS.guitar,
  piano: COLOURS.piano,
  other: COLOURS.other,
  notes: COLOURS.brand,
}
const nameOf = (pitch: number) => `${NOTES[pitch % 12] ?? ''}${Math.floor(pitch / 12) - 1}`

/** What was written down of all stems that play notes; stronger strokes are stronger in colour. */
export function pianoRoll(voices: readonly Voice[]): TimePicture | null {
  const melodic = voices.filter(({ kind, notes }) => kind in STEMS && notes.length > 0)
  if (melodic.length === 0) return null
  const all = melodic.flatMap(({ kind, notes }) => notes.map((note) => ({ kind, ...note }))).sort((a, b) => a.start_secs - b.start_secs)
  const [low, high] = all.reduce(([low, high], { pitch }) => [Math.min(low, pitch), Math.max(high, pitch)], [127, 0])
  const colourOf = (kind: string) => STEMS[kind] ?? COLOURS.brand
  return {
    title: 'Piano roll',
    height: Math.min(320, Math.max(140, (high - low + 3) * 5)),
    draw(pen, width, height, x) {
      const row = height / (high - low + 3)
      const y = (pitch: number) => height - (pitch - low + 2) * row
      for (let pitch = low; pitch <= high; pitch += 1) {
        if (![1, 3, 6, 8, 10].includes(pitch % 12)) continue
        pen.fillStyle = faint(COLOURS.card, 0.6)
        pen.fillRect(0, y(pitch), width, row)
      }
      for (const { kind, start_secs, end_secs, pitch, velocity } of all) {
        pen.fillStyle = faint(colourOf(kind), 0.4 + (velocity / 127) * 0.6)
        pen.fillRect(x(start_secs), y(pitch), Math.max(1.5, x(end_secs) - x(start_secs) - 0.5), Math.max(2, row - 0.5))
      }
      pen.font = SMALL_FONT
      pen.textBaseline = 'middle'
      pen.fillStyle = COLOURS.soft
      for (let pitch = low; pitch <= high; pitch += 1) if (pitch % 12 === 0) pen.fillText(nameOf(pitch), 2, y(pitch) + row / 2)
    },
    readout: (secs) => {
      const sounding = all.filter(({ start_secs, end_secs }) => secs >= start_secs && secs < end_secs)
      return sounding.map(({ kind, pitch }) => `${stemLook(kind).letter} ${nameOf(pitch)}`).join('  ') || 'no note'
    },
    legend: melodic.map(({ kind }) => ({ colour: colourOf(kind), name: stemLook(kind).name })),
    table: {
      head: ['From', 'To', 'Stem', 'Note', 'Velocity'],
      rows: thinned(all).map(({ kind, start_secs, end_secs, pitch, velocity }) => [
        fineClock(start_secs),
        fineClock(end_secs),
        stemLook(kind).name,
        nameOf(pitch),
        String(velocity),
      ]),
    },
  }
}
