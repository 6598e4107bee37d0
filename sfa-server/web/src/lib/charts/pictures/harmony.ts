import type { Analysis } from '$lib/api/analysis'
import { fineClock } from '$lib/library/text'
import { around, COLOURS, faint, label, LABEL_FONT, SMALL_FONT, thinned, type ItemPicture, type TimePicture } from '../chart'

/** The twelve notes in the order in which an analysis counts them. */
export const NOTES = ['C', 'C♯', 'D', 'D♯', 'E', 'F', 'F♯', 'G', 'G♯', 'A', 'A♯', 'B'] as const

const QUALITIES: { of: RegExp; colour: string; name: string }[] = [
  { of: /^(maj|maj7|maj6|6)?$/, colour: COLOURS.info, name: 'major' },
  { of: /^min/, colour: COLOURS.brand, name: 'minor' },
  { of: /^(7|9)/, colour: COLOURS.guitar, name: 'dominant' },
  { of: /^sus/, colour: COLOURS.success, name: 'suspended' },
  { of: /^(dim|hdim|aug)/, colour: COLOURS.error, name: 'diminished, augmented' },
]
const qualityOf = (label: string) => QUALITIES.find(({ of }) => of.test((label.split(':')[1] ?? '').split('/')[0] ?? ''))
const chordName = (label: string) => label.replace(':maj', '').replace(':min', 'm').replace(':', '').replace('#', '♯').replace(/^(.)b/, '$1♭')

/** Which chord sounds when: its colour tells its kind, its strength how sure that is. */
export function chordRibbon({ chords, key }: Analysis): TimePicture | null {
  const found = (chords ?? []).filter(({ label }) => label !== 'N')
  if (found.length === 0) return null
  const used = QUALITIES.filter((quality) => found.some(({ label }) => qualityOf(label) === quality))
  return {
    title: 'Chords',
    height: 36,
    draw(pen, _, height, x) {
      pen.font = LABEL_FONT
      pen.textBaseline = 'middle'
      for (const { start_secs, end_secs, label: name, confidence = 1 } of found) {
        const [left, right] = [x(start_secs), x(end_secs) - 1]
        const colour = qualityOf(name)?.colour ?? COLOURS.edge
        pen.fillStyle = faint(colour, 0.1 + confidence * 0.25)
        pen.fillRect(left, 0, right - left, height)
        pen.fillStyle = colour
        pen.fillRect(left, height - 2, right - left, 2)
        pen.fillStyle = COLOURS.text
        label(pen, chordName(name), left, right, height / 2)
      }
    },
    readout: (secs) => {
      const chord = around(found, secs)
      return chord ? `${chordName(chord.label)}  ${chord.confidence === undefined ? '' : `${Math.round(chord.confidence * 100)} % sure`}` : 'no chord'
    },
    legend: used.map(({ colour, name }) => ({ colour, name })),
    ...(key ? { note: `in ${key.name}` } : {}),
    table: {
      head: ['From', 'To', 'Chord', 'Confidence'],
      rows: found.map(({ start_secs, end_secs, label, confidence }) => [fineClock(start_secs), fineClock(end_secs), chordName(label), confidence?.toFixed(2) ?? '']),
    },
  }
}

/** Which notes are strong when. */
export function notesOverTime({ chroma, duration_secs }: Analysis): TimePicture | null {
  if (!chroma) return null
  const at = (secs: number) => chroma.columns[Math.floor(secs / chroma.hop_secs)] ?? []
  return {
    title: 'Notes',
    height: 180,
    draw(pen, width, height, x) {
      const row = height / 12
      const columns = Math.max(1, Math.ceil(width / 2))
      for (let column = 0; column < columns; column += 1) {
        const secs = (column / columns) * duration_secs
        for (const [note, value] of at(secs).entries()) {
          if (value < 0.02) continue
          pen.fillStyle = faint(COLOURS.brand, value)
          pen.fillRect(x(secs), height - (note + 1) * row, width / columns + 0.5, row - 1)
        }
      }
      pen.font = SMALL_FONT
      pen.textBaseline = 'middle'
      pen.fillStyle = faint(COLOURS.panel, 0.8)
      pen.fillRect(0, 0, 20, height)
      pen.fillStyle = COLOURS.text
      for (const [note, name] of NOTES.entries()) pen.fillText(name, 2, height - (note + 0.5) * row)
    },
    readout: (secs) => NOTES[at(secs).indexOf(Math.max(...at(secs)))] ?? '',
    table: {
      head: ['At', 'Strongest notes'],
      rows: thinned(chroma.columns).map((values, index, all) => {
        const strongest = [...values.entries()].sort((a, b) => b[1] - a[1]).slice(0, 3)
        return [fineClock((index / all.length) * duration_secs), strongest.map(([note]) => NOTES[note]).join(', ')]
      }),
    },
  }
}

/** How strong each note is in the whole song, around a wheel. */
export function noteWheel({ chroma, key }: Analysis): ItemPicture | null {
  if (!chroma) return null
  const tonic = (key?.name.split(' ')[0] ?? '').replace('#', '♯')
  const { mean } = chroma
  const wheel = (width: number, height: number) => ({ x: width / 2, y: height / 2, outer: Math.min(width, height) / 2 - 20, inner: 26 })
  return {
    title: 'Note wheel',
    height: 230,
    items: NOTES.map((name, at) => ({ name, text: (mean[at] ?? 0).toFixed(2) })),
    draw(pen, width, height, chosen) {
      const { x, y, inner, outer } = wheel(width, height)
      const wedge = (at: number, radius: number, colour: string) => {
        const [from, to] = [(at - 0.46) * (Math.PI / 6) - Math.PI / 2, (at + 0.46) * (Math.PI / 6) - Math.PI / 2]
        pen.fillStyle = colour
        pen.beginPath()
        pen.arc(x, y, radius, from, to)
        pen.arc(x, y, inner, to, from, true)
        pen.closePath()
        pen.fill()
      }
      pen.textAlign = 'center'
      pen.textBaseline = 'middle'
      for (const [at, note] of NOTES.entries()) {
        const isTonic = note === tonic
        wedge(at, outer, at === chosen ? COLOURS.line : COLOURS.card)
        wedge(at, inner + (mean[at] ?? 0) * (outer - inner), isTonic ? COLOURS.brand : COLOURS.primary)
        const angle = at * (Math.PI / 6)
        pen.font = isTonic ? LABEL_FONT : SMALL_FONT
        pen.fillStyle = isTonic ? COLOURS.text : COLOURS.soft
        pen.fillText(note, x + Math.sin(angle) * (outer + 11), y - Math.cos(angle) * (outer + 11))
      }
      pen.font = LABEL_FONT
      pen.fillStyle = COLOURS.text
      pen.fillText(key?.camelot ?? '', x, y)
      pen.textAlign = 'start'
    },
    pick(atX, atY, width, height) {
      const { x, y, outer } = wheel(width, height)
      if (Math.hypot(atX - x, atY - y) > outer + 20) return null
      return Math.round((Math.atan2(atX - x, y - atY) / (Math.PI / 6) + 12) % 12) % 12
    },
    ...(key ? { note: `${key.name}, ${key.open_key}` } : {}),
    table: { head: ['Note', 'Strength, 0 to 1'], rows: NOTES.map((name, at) => [name, (mean[at] ?? 0).toFixed(2)]) },
  }
}
