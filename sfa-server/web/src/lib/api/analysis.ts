import { take, api } from './client'

/** The parts of an analysis that the studio shows; docs/schema/analysis.json describes all of it. */
export interface Analysis {
  duration_secs: number
  sample_rate_hz: number
  rhythm?: {
    tempo?: { bpm: number; confidence: number } | null
    meter?: { beats_per_bar: number; beat_unit: number } | null
    beats: { time_secs: number; bar_position?: number | null }[]
  } | null
  key?: { name: string; camelot: string; open_key: string; confidence: number; tuning_cents?: number } | null
  chroma?: { mean: number[]; hop_secs: number; columns: number[][] } | null
  loudness?: {
    integrated_lufs?: number | null
    range_lu?: number | null
    true_peak_dbtp?: number | null
    momentary_lufs: Curve
    short_term_lufs: Curve
  } | null
  energy?: { level: number; curve: Curve } | null
  form?: { sections: Section[]; phrases?: Phrase[]; events?: MusicalEvent[] } | null
  chords?: { start_secs: number; end_secs: number; label: string; confidence?: number }[] | null
  drums?: { time_secs: number; kind: string; confidence: number }[] | null
  vocals?: { share: number; ranges: { start_secs: number; end_secs: number }[] } | null
  danceability?: { value: number } | null
  descriptors?: { mfcc?: { mfcc: number[]; mfcc_variance: number[] } | null; spectral?: Spectral | null } | null
  waveform?: { sample_rate_hz: number; levels: WaveLevel[] } | null
}

export interface Curve {
  hop_secs: number
  values: number[]
}

export interface Spectral {
  spectral_centroid: number
  spectral_bandwidth: number
  spectral_rolloff: number
  spectral_flatness: number
  zero_crossing_rate: number
  /** Peaks over valleys in dB: below 200 Hz, five octaves, above 6.4 kHz. */
  spectral_contrast: number[]
  spectral_valleys: number[]
}

export interface Section {
  start_secs: number
  end_secs: number
  kind: string
  energy: number
  confidence: number
}

export interface Phrase {
  start_secs: number
  end_secs: number
  first_bar: number
  bars: number
}

export interface MusicalEvent {
  kind: string
  start_secs: number
  end_secs?: number | null
}

/** Lows and highs of -128..=127 and the strength of three bands of 0..=255, one of each per point. */
export interface WaveLevel {
  frames_per_point: number
  min: number[]
  max: number[]
  low: number[]
  mid: number[]
  high: number[]
}

/** Fetches what was measured in a song. */
export async function analysisOf(id: string): Promise<Analysis> {
  const document = await take(api.GET('/api/v1/tracks/{id}/analysis', { params: { path: { id } } }))
  return (document as unknown as { data: { analysis: Analysis } }).data.analysis
}
