import type { Analysis } from '$lib/api/analysis'
import { fineClock } from '$lib/library/text'
import { COLOURS, decimal, faint, LABEL_FONT, SMALL_FONT, thinned, type ItemPicture, type TimePicture } from '../chart'
import { drawCurve, drawScale, valueAt } from '../scales'

const LOUDNESS: [number, number] = [-40, 0]

/** How loud it is, as broadcasters measure it. */
export function loudnessCurve({ loudness }: Analysis): TimePicture | null {
  if (!loudness) return null
  const { momentary_lufs, short_term_lufs } = loudness
  return {
    title: 'Loudness',
    height: 110,
    draw(pen, width, height, x) {
      drawScale(pen, width, height, LOUDNESS, (value) => `${value}`.replace('-', '−'))
      const box = { height, x, domain: LOUDNESS }
      drawCurve(pen, momentary_lufs, box, { stroke: COLOURS.edge })
      drawCurve(pen, short_term_lufs, box, { stroke: COLOURS.brand })
    },
    readout: (secs) => decimal(valueAt(short_term_lufs, secs), 'LUFS'),
    legend: [
      { colour: COLOURS.brand, name: 'short-term' },
      { colour: COLOURS.edge, name: 'momentary' },
    ],
    note: `whole song ${decimal(loudness.integrated_lufs, 'LUFS')}, range ${decimal(loudness.range_lu, 'LU')}, peak ${decimal(loudness.true_peak_dbtp, 'dBTP')}`,
    table: {
      head: ['At', 'Short-term, LUFS', 'Momentary, LUFS'],
      rows: thinned([...short_term_lufs.values.entries()]).map(([at, value]) => {
        const secs = at * short_term_lufs.hop_secs
        return [fineClock(secs), decimal(value), decimal(valueAt(momentary_lufs, secs))]
      }),
    },
  }
}

interface Axis {
  name: string
  /** 0 to 1. */
  value: number
  text: string
}

/** What is known of a song as a whole, each as a share of what songs reach. */
function axes({ rhythm, energy, danceability, vocals, chords, descriptors }: Analysis): Axis[] {
  const spectral = descriptors?.spectral
  const named = (chords ?? []).filter(({ label }) => label !== 'N').map(({ label }) => label)
  const share = (value: number, of: number) => Math.min(1, Math.max(0, value / of))
  const found: (Axis | null)[] = [
    rhythm?.tempo ? { name: 'Tempo', value: share(rhythm.tempo.bpm, 200), text: `${rhythm.tempo.bpm.toFixed(1)} BPM` } : null,
    energy ? { name: 'Energy', value: energy.level / 10, text: `${energy.level} of 10` } : null,
    danceability ? { name: 'Dance', value: danceability.value, text: danceability.value.toFixed(2) } : null,
    vocals ? { name: 'Voice', value: vocals.share, text: `${Math.round(vocals.share * 100)} % of the bars` } : null,
    named.length > 0 ? { name: 'Harmony', value: share(new Set(named).size, 12), text: `${new Set(named).size} different chords` } : null,
    spectral ? { name: 'Brightness', value: share(spectral.spectral_centroid, 8000), text: `${Math.round(spectral.spectral_centroid)} Hz` } : null,
    spectral ? { name: 'Width', value: share(spectral.spectral_bandwidth, 6000), text: `${Math.round(spectral.spectral_bandwidth)} Hz` } : null,
    spectral ? { name: 'Noise', value: share(spectral.spectral_flatness, 0.5), text: spectral.spectral_flatness.toFixed(3) } : null,
    spectral ? { name: 'Crossings', value: share(spectral.zero_crossing_rate, 0.2), text: `${(spectral.zero_crossing_rate * 100).toFixed(1)} % of the samples` } : null,
  ]
  return found.filter((axis) => axis !== null)
}

/** The whole song at a glance. */
export function profile(analysis: Analysis): ItemPicture | null {
  const items = axes(analysis)
  if (items.length < 3) return null
  const web = (width: number, height: number) => ({ x: width / 2, y: height / 2, radius: Math.min(width / 2 - 50, height / 2 - 18) })
  const angleOf = (at: number) => (at / items.length) * 2 * Math.PI - Math.PI / 2
  return {
    title: 'Profile',
    height: 230,
    items,
    draw(pen, width, height, chosen) {
      const { x, y, radius } = web(width, height)
      const to = (at: number, share: number): [number, number] => [x + Math.cos(angleOf(at)) * radius * share, y + Math.sin(angleOf(at)) * radius * share]
      const ring = (share: (at: number) => number) => {
        pen.beginPath()
        for (const at of items.keys()) pen.lineTo(...to(at, share(at)))
        pen.closePath()
      }
      pen.lineWidth = 1
      pen.strokeStyle = COLOURS.line
      for (const share of [0.25, 0.5, 0.75, 1]) {
        ring(() => share)
        pen.stroke()
      }
      for (const at of items.keys()) {
        pen.beginPath()
        pen.moveTo(x, y)
        pen.lineTo(...to(at, 1))
        pen.stroke()
      }
      ring((at) => items[at]?.value ?? 0)
      pen.fillStyle = faint(COLOURS.brand, 0.3)
      pen.fill()
      pen.strokeStyle = COLOURS.brand
      pen.lineWidth = 1.5
      pen.stroke()
      pen.textBaseline = 'middle'
      for (const [at, { name, value }] of items.entries()) {
        const [dotX, dotY] = to(at, value)
        pen.fillStyle = at === chosen ? COLOURS.text : COLOURS.brand
        pen.beginPath()
        pen.arc(dotX, dotY, at === chosen ? 4 : 2.5, 0, 2 * Math.PI)
        pen.fill()
        const side = Math.cos(angleOf(at))
        pen.font = at === chosen ? LABEL_FONT : SMALL_FONT
        pen.textAlign = Math.abs(side) < 0.2 ? 'center' : side > 0 ? 'left' : 'right'
        pen.fillStyle = at === chosen ? COLOURS.text : COLOURS.soft
        pen.fillText(name, x + side * (radius + 8), y + Math.sin(angleOf(at)) * (radius + 10))
      }
      pen.textAlign = 'start'
    },
    pick(atX, atY, width, height) {
      const { x, y } = web(width, height)
      const turn = Math.atan2(atY - y, atX - x) + Math.PI / 2
      return (Math.round((turn / (2 * Math.PI)) * items.length) + items.length) % items.length
    },
    table: { head: ['Of the song', 'Value', 'Share'], rows: items.map(({ name, text, value }) => [name, text, value.toFixed(2)]) },
  }
}

/** The shape of the spectrum as speech research sums it up: means, with how far they spread. */
export function mfccBars({ descriptors }: Analysis): ItemPicture | null {
  const mfcc = descriptors?.mfcc
  if (!mfcc) return null
  const spreads = mfcc.mfcc_variance.map(Math.sqrt)
  // The first one is loudness and dwarfs all others: it has a scale of its own.
  const rest = Math.max(1, ...mfcc.mfcc.slice(1).map((value, at) => Math.abs(value) + (spreads[at + 1] ?? 0)))
  const scaleOf = (at: number) => (at === 0 ? Math.max(1, Math.abs(mfcc.mfcc[0] ?? 0) + (spreads[0] ?? 0)) : rest)
  return {
    title: 'MFCC',
    height: 230,
    items: mfcc.mfcc.map((value, at) => ({ name: `${at + 1}`, text: `${decimal(value)} ± ${decimal(spreads[at])}` })),
    draw(pen, width, height, chosen) {
      const row = height / mfcc.mfcc.length
      const middle = width / 2
      pen.textBaseline = 'middle'
      pen.font = SMALL_FONT
      pen.fillStyle = COLOURS.line
      pen.fillRect(middle, 0, 1, height)
      for (const [at, value] of mfcc.mfcc.entries()) {
        const half = (middle - 20) / scaleOf(at)
        const y = (at + 0.5) * row
        pen.fillStyle = at === chosen ? COLOURS.brand : COLOURS.primary
        pen.fillRect(Math.min(middle, middle + value * half), y - row * 0.3, Math.abs(value) * half, row * 0.6)
        pen.fillStyle = COLOURS.soft
        const spread = (spreads[at] ?? 0) * half
        pen.fillRect(middle + value * half - spread, y, spread * 2, 1)
        pen.fillText(String(at + 1), 2, y)
      }
    },
    pick: (_, y, __, height) => Math.min(mfcc.mfcc.length - 1, Math.max(0, Math.floor((y / height) * mfcc.mfcc.length))),
    note: 'the first one, loudness, has a scale of its own',
    table: { head: ['Coefficient', 'Mean', 'Standard deviation'], rows: mfcc.mfcc.map((value, at) => [String(at + 1), decimal(value), decimal(spreads[at])]) },
  }
}

const BANDS = ['Sub-bass', 'Bass', 'Low mids', 'Mids', 'High mids', 'Presence', 'Brilliance']

/** How far peaks stand out of each band, and where the weight and the end of the spectrum are. */
export function spectrum({ descriptors }: Analysis): ItemPicture | null {
  const spectral = descriptors?.spectral
  if (!spectral) return null
  const contrast = spectral.spectral_contrast
  const most = Math.max(1, ...contrast)
  const marks = [
    { name: 'Centroid', hz: spectral.spectral_centroid, of_hz: 8000 },
    { name: 'Roll-off', hz: spectral.spectral_rolloff, of_hz: 11_025 },
    { name: 'Bandwidth', hz: spectral.spectral_bandwidth, of_hz: 8000 },
  ]
  const items = [
    ...contrast.map((value, at) => ({ name: BANDS[at] ?? '', text: `contrast ${decimal(value, 'dB')}, valleys ${decimal(spectral.spectral_valleys[at], 'dB')}` })),
    ...marks.map(({ name, hz }) => ({ name, text: `${Math.round(hz)} Hz` })),
  ]
  return {
    title: 'Spectrum',
    height: 230,
    items,
    draw(pen, width, height, chosen) {
      const row = height / items.length
      const left = 70
      pen.textBaseline = 'middle'
      pen.font = SMALL_FONT
      for (const [at, { name }] of items.entries()) {
        const mark = marks[at - contrast.length]
        const share = mark ? Math.min(1, mark.hz / mark.of_hz) : (contrast[at] ?? 0) / most
        const y = at * row
        pen.fillStyle = COLOURS.card
        pen.fillRect(left, y + 2, width - left, row - 4)
        // Bands glow as a whole, marks are bars.
        pen.fillStyle = mark ? COLOURS.info : faint(COLOURS.guitar, 0.25 + share * 0.75)
        pen.fillRect(left, y + 2, (width - left) * share, row - 4)
        pen.fillStyle = at === chosen ? COLOURS.text : COLOURS.soft
        pen.fillText(name, 2, y + row / 2)
      }
    },
    pick: (_, y, __, height) => Math.min(items.length - 1, Math.max(0, Math.floor((y / height) * items.length))),
    table: { head: ['Of the spectrum', 'Value'], rows: items.map(({ name, text }) => [name, text]) },
  }
}
