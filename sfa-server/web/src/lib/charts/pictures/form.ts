import type { Analysis } from '$lib/api/analysis'
import { fineClock, words } from '$lib/library/text'
import { around, COLOURS, faint, label, LABEL_FONT, type TimePicture } from '../chart'
import { drawCurve, drawScale, valueAt } from '../scales'

const SECTIONS: Record<string, string> = {
  intro: COLOURS.edge,
  outro: COLOURS.edge,
  verse: COLOURS.info,
  pre_chorus: COLOURS.piano,
  chorus: COLOURS.brand,
  bridge: COLOURS.drums,
  solo: COLOURS.guitar,
  drop: COLOURS.error,
  breakdown: COLOURS.vocals,
  build_up: COLOURS.bass,
}
const EVENTS: Record<string, { colour: string; sign: string }> = {
  build_up: { colour: COLOURS.success, sign: '▲' },
  drop: { colour: COLOURS.warning, sign: '▼' },
  breakdown: { colour: COLOURS.info, sign: '◆' },
}
const ENERGY: [number, number] = [0, 1]

/** Sections, what happens in them, and where somebody sings. */
export function structure({ form, vocals }: Analysis): TimePicture | null {
  const { sections, events } = { sections: form?.sections ?? [], events: form?.events ?? [] }
  if (sections.length === 0) return null
  return {
    title: 'Structure',
    height: 84,
    draw(pen, _, height, x) {
      pen.font = LABEL_FONT
      pen.textBaseline = 'middle'
      const [row, gap] = [height / 3, 3]
      for (const { start_secs, end_secs, kind, energy } of sections) {
        const [left, right] = [x(start_secs), x(end_secs) - 1]
        const colour = SECTIONS[kind] ?? COLOURS.edge
        pen.fillStyle = faint(colour, 0.18 + energy * 0.3)
        pen.fillRect(left, 0, right - left, row - gap)
        pen.fillStyle = colour
        pen.fillRect(left, row - gap - 2, right - left, 2)
        pen.fillStyle = COLOURS.text
        label(pen, kind.replaceAll('_', ' '), left, right, (row - gap) / 2)
      }
      for (const { start_secs, end_secs, kind } of events) {
        const [left, right] = [x(start_secs), x(end_secs ?? start_secs + 1) - 1]
        pen.fillStyle = EVENTS[kind]?.colour ?? COLOURS.muted
        pen.fillRect(left, row, right - left, 2)
        label(pen, kind.replaceAll('_', ' '), left, right, row * 1.5)
      }
      pen.fillStyle = COLOURS.vocals
      for (const { start_secs, end_secs } of vocals?.ranges ?? []) {
        const [left, right] = [x(start_secs), x(end_secs) - 1]
        pen.fillRect(left, row * 2, right - left, 2)
        label(pen, 'voice', left, right, row * 2.5)
      }
    },
    readout: (secs) => words(around(sections, secs)?.kind ?? ''),
    table: {
      head: ['From', 'To', 'Section', 'Energy', 'Confidence'],
      rows: sections.map(({ start_secs, end_secs, kind, energy, confidence }) => [
        fineClock(start_secs),
        fineClock(end_secs),
        words(kind),
        energy.toFixed(2),
        confidence.toFixed(2),
      ]),
    },
  }
}

/** How much is going on, with the moments that a floor waits for. */
export function energyCurve({ energy, form }: Analysis): TimePicture | null {
  if (!energy) return null
  const { curve } = energy
  const events = form?.events ?? []
  const eventAt = (secs: number) => events.find(({ start_secs, end_secs }) => secs >= start_secs && secs < (end_secs ?? start_secs + 1))
  const rows = [
    ...curve.values.map((value, at): [number, string, string] => [at * curve.hop_secs, value.toFixed(2), '']),
    ...events.map(({ start_secs, kind }): [number, string, string] => [start_secs, (valueAt(curve, start_secs) ?? 0).toFixed(2), words(kind)]),
  ].sort((a, b) => a[0] - b[0])
  const step = Math.max(1, Math.ceil(curve.values.length / 48))
  return {
    title: 'Energy',
    height: 110,
    draw(pen, width, height, x) {
      drawScale(pen, width, height, ENERGY, (value) => value.toFixed(1))
      drawCurve(pen, curve, { height, x, domain: ENERGY }, { stroke: COLOURS.brand, fill: faint(COLOURS.brand, 0.2) })
      pen.font = LABEL_FONT
      pen.textBaseline = 'top'
      for (const { start_secs, kind } of events) {
        const { colour, sign } = EVENTS[kind] ?? { colour: COLOURS.muted, sign: '•' }
        pen.fillStyle = colour
        pen.fillRect(x(start_secs), 0, 2, height)
        pen.fillText(sign, x(start_secs) + 4, 2)
      }
    },
    readout: (secs) => [(valueAt(curve, secs) ?? 0).toFixed(2), words(eventAt(secs)?.kind ?? '')].filter(Boolean).join('  '),
    legend: Object.entries(EVENTS).map(([kind, { colour, sign }]) => ({ colour, name: `${sign} ${words(kind)}` })),
    note: `level ${energy.level} of 10`,
    table: {
      head: ['At', 'Energy, 0 to 1', 'What begins'],
      rows: rows.filter(([, , event], at) => event !== '' || at % step === 0).map(([secs, value, event]) => [fineClock(secs), value, event]),
    },
  }
}
