import type { Analysis } from '$lib/api/analysis'
import { fineClock, words } from '$lib/library/text'
import { Grid } from '$lib/audio/grid'
import { COLOURS, faint, SMALL_FONT, thinned, type TimePicture } from '../chart'

/** From the bottom of a kit to its top, each with a shape of its own. */
const DRUMS = [
  { kind: 'kick', colour: COLOURS.error },
  { kind: 'snare', colour: COLOURS.piano },
  { kind: 'clap', colour: COLOURS.brand },
  { kind: 'perc', colour: COLOURS.edge },
  { kind: 'hat', colour: COLOURS.vocals },
] as const
/** A beat that comes earlier or later by more than this share of one is far off. */
const FAR_OFF = 0.06

/** Every beat, coloured by how far its length is from the usual, with bars, sections and, if wanted, drums. */
export function beatTimeline(analysis: Analysis, withDrums: boolean): TimePicture | null {
  const { rhythm, form, drums } = analysis
  const times = (rhythm?.beats ?? []).map(({ time_secs }) => time_secs)
  if (!rhythm || times.length < 3) return null
  const grid = new Grid(rhythm)
  const intervals = times.slice(1).map((time, at) => time - (times[at] ?? 0))
  const usual = [...intervals].sort((a, b) => a - b)[intervals.length >> 1] ?? 0.5
  const deviation = (at: number) => ((intervals[at] ?? usual) - usual) / usual
  const colourOf = (off: number) => (Math.abs(off) < FAR_OFF / 3 ? COLOURS.success : Math.abs(off) < FAR_OFF ? COLOURS.warning : COLOURS.error)
  const beatAt = (secs: number) => times.findLastIndex((time) => time <= secs)
  const said = (at: number) => `${deviation(at) < 0 ? '−' : '+'}${Math.abs(deviation(at) * 100).toFixed(1)} %`
  const hits = withDrums ? (drums ?? []) : []
  return {
    title: 'Beats',
    height: 96,
    draw(pen, width, height, x) {
      const beat_px = width / times.length
      for (const { start_secs } of form?.sections ?? []) {
        pen.fillStyle = COLOURS.brand
        for (let y = 0; y < height; y += 8) pen.fillRect(x(start_secs), y, 1, 4)
      }
      for (const [at, time] of times.entries()) {
        const isBar = rhythm.beats[at]?.bar_position === 1
        pen.fillStyle = isBar ? COLOURS.warning : COLOURS.line
        if (isBar && beat_px * grid.beatsPerBar > 3) pen.fillRect(x(time), 14, 1, height - 14)
        pen.fillStyle = colourOf(deviation(at))
        const tall = isBar ? 22 : 14
        pen.fillRect(x(time), 14, Math.max(1, Math.min(2, beat_px - 1)), tall)
      }
      for (const { time_secs, kind, confidence } of hits) {
        const row = DRUMS.findIndex((drum) => drum.kind === kind)
        pen.fillStyle = faint(DRUMS[row]?.colour ?? COLOURS.edge, 0.4 + confidence * 0.6)
        pen.fillRect(x(time_secs) - 1, height - 8 - row * 10, 2.5, 6)
      }
      pen.font = SMALL_FONT
      pen.textBaseline = 'top'
      pen.fillStyle = COLOURS.soft
      const step = 2 ** Math.max(0, Math.ceil(Math.log2(40 / (beat_px * grid.beatsPerBar))))
      for (const { time_secs, bar, beat } of grid.beats) if (beat === 1 && (bar - 1) % step === 0) pen.fillText(String(bar), x(time_secs) + 2, 0)
    },
    readout: (secs) => {
      const place = grid.place(secs)
      return place ? `bar ${place.bar}, beat ${place.beat}  ${said(beatAt(secs))}` : ''
    },
    legend: [
      { colour: COLOURS.success, name: 'steady' },
      { colour: COLOURS.warning, name: 'moves' },
      { colour: COLOURS.error, name: 'far off' },
    ],
    ...(rhythm.tempo ? { note: `${rhythm.tempo.bpm.toFixed(2)} BPM, ${grid.beatsPerBar}/${rhythm.meter?.beat_unit ?? 4}` } : {}),
    table: {
      head: ['At', 'Bar and beat', 'Length of the beat against the usual'],
      rows: thinned([...times.keys()]).map((at) => {
        const beat = grid.beats[at]
        return [fineClock(times[at] ?? 0), `${beat?.bar ?? 0}.${beat?.beat ?? 0}`, said(at)]
      }),
    },
  }
}

/** Every stroke on every drum; the taller, the surer. */
export function drumMap({ drums }: Analysis): TimePicture | null {
  const hits = drums ?? []
  const kit = DRUMS.filter(({ kind }) => hits.some((hit) => hit.kind === kind))
  if (kit.length === 0) return null
  return {
    title: 'Drums',
    height: Math.max(48, kit.length * 24),
    draw(pen, width, height, x) {
      const row = height / kit.length
      pen.font = SMALL_FONT
      pen.textBaseline = 'middle'
      for (const [index, { kind, colour }] of kit.entries()) {
        const y = height - (index + 0.5) * row
        pen.fillStyle = COLOURS.card
        pen.fillRect(0, Math.round(y), width, 1)
        for (const hit of hits) {
          if (hit.kind !== kind) continue
          const tall = row * (0.3 + 0.5 * hit.confidence)
          pen.fillStyle = faint(colour, 0.5 + hit.confidence * 0.5)
          pen.fillRect(x(hit.time_secs), y - tall / 2, 1.5, tall)
        }
        pen.fillStyle = COLOURS.panel
        pen.fillRect(0, y - row / 2, 38, row)
        pen.fillStyle = COLOURS.soft
        pen.fillText(kind, 2, y)
      }
    },
    readout: (secs) => {
      const near = hits.filter(({ time_secs }) => Math.abs(time_secs - secs) < 0.1).map(({ kind }) => kind)
      return near.length > 0 ? words([...new Set(near)].join(', ')) : 'no hit'
    },
    table: {
      head: ['Drum', 'Hits', 'Mean confidence'],
      rows: kit.map(({ kind }) => {
        const those = hits.filter((hit) => hit.kind === kind)
        const mean = those.reduce((sum, { confidence }) => sum + confidence, 0) / those.length
        return [words(kind), String(those.length), mean.toFixed(2)]
      }),
    },
  }
}
