/** What a user has decided about the work on songs: all settings, as the server has them. */
export interface Wishes {
  steps: string[]
  engine: string
  model: string | null
  segment_secs: number | null
  overlap: number
  shifts: number
  precision: string
  device: string
  stems: StemChoice
  stem_format: string
  stem_bit_depth: string
  stem_peaks: string
  stem_names: string
  features: string[]
  bpm_range: [number, number] | null
  hear_stems: boolean
  most_cues: number | null
  most_loops: number | null
  notifications: string
  keep_days: number | null
  largest_import_bytes: number | null
  step_timeout_secs: number | null
}

export type StemChoice = 'all' | { only: string[] } | { two: { stem: string; rest: string } }

interface Option {
  id: string
  name: string
  detail?: string
}

export const STEPS: Option[] = [
  { id: 'separate', name: 'Separate', detail: 'Stems: voice, drums, bass and the rest, each as a file' },
  { id: 'analyze', name: 'Analyse', detail: 'Tempo, beats, key, loudness, sections' },
  { id: 'cues', name: 'Cues', detail: 'Cue points and loops where the sections begin; your own stay' },
  { id: 'chords', name: 'Chords', detail: 'Which chord sounds when' },
  { id: 'midi', name: 'MIDI', detail: 'The notes of each stem as a MIDI file' },
  { id: 'export', name: 'Export', detail: 'Files for other programs with each song, beside what you pack yourself' },
]

export const FEATURES: Option[] = [
  { id: 'rhythm', name: 'Rhythm', detail: 'Tempo, beats, downbeats, metre' },
  { id: 'key', name: 'Key', detail: 'Key, key changes, tuning' },
  { id: 'loudness', name: 'Loudness', detail: 'EBU R128, true peak' },
  { id: 'energy', name: 'Energy', detail: 'Level from 1 to 10, and its curve' },
  { id: 'waveform', name: 'Waveform', detail: 'What the waveform is drawn from' },
  { id: 'form', name: 'Form', detail: 'Sections, drops, build-ups, breakdowns' },
  { id: 'chords', name: 'Chords', detail: 'Which chord sounds when' },
  { id: 'drums', name: 'Drums', detail: 'Which drum is struck when' },
  { id: 'vocals', name: 'Vocals', detail: 'Where somebody sings' },
  { id: 'danceability', name: 'Danceability', detail: 'How well it can be danced to' },
  { id: 'spectral', name: 'Spectrum', detail: 'Its shape over time, as librosa measures it' },
  { id: 'mfcc', name: 'MFCC', detail: 'Mel-frequency cepstral coefficients' },
  { id: 'chroma', name: 'Chroma vectors', detail: 'As librosa has them' },
  { id: 'onsets', name: 'Onsets', detail: 'Onset strength, as librosa has it' },
  { id: 'tempogram', name: 'Tempogram', detail: 'Periodicity over time' },
  { id: 'beat_track', name: 'Beat track', detail: 'Beats as librosa finds them' },
  { id: 'hpss', name: 'Harmonic and percussive', detail: 'The energy of either' },
  { id: 'recurrence', name: 'Recurrence', detail: 'What sounds alike' },
]

/** What can be chosen from, by the name of the setting. */
export const CHOICES = {
  engine: [
    { id: 'auto', name: 'The best on this server' },
    { id: 'demucs', name: 'Demucs, a neural network' },
    { id: 'classic', name: 'Classic: no model, quick, stems bleed' },
    { id: 'python', name: 'The Python package demucs, with its own models' },
  ],
  stem_format: [
    { id: 'flac', name: 'FLAC, lossless and small' },
    { id: 'wav', name: 'WAV, lossless' },
    { id: 'mp3', name: 'MP3' },
    { id: 'm4a', name: 'M4A (AAC)' },
  ],
  stem_bit_depth: [
    { id: 'int16', name: '16 bits' },
    { id: 'int24', name: '24 bits' },
    { id: 'float32', name: '32-bit floats, WAV only' },
  ],
  stem_peaks: [
    { id: 'rescale', name: 'One factor for all: they still add up' },
    { id: 'rescale_each', name: 'Each by itself' },
    { id: 'clamp', name: 'Cut off just below full scale' },
    { id: 'none', name: 'Leave them' },
  ],
  precision: [
    { id: 'fp32', name: 'Single (fp32), the original' },
    { id: 'bf16', name: 'bf16, faster on a GPU' },
    { id: 'fp16', name: 'fp16, faster on a GPU' },
  ],
  notifications: [
    { id: 'all', name: 'Every end' },
    { id: 'failures', name: 'Failures alone' },
    { id: 'off', name: 'None' },
  ],
} satisfies Record<string, Option[]>

export const STEM_KINDS = ['vocals', 'drums', 'bass', 'other', 'guitar', 'piano']

/** Takes one of a list in or out, and keeps the order of `all`. */
export function toggled(all: readonly Option[], chosen: readonly string[], id: string): string[] {
  return all.map((option) => option.id).filter((one) => (one === id) !== chosen.includes(one))
}

/** A number that was typed; null for none, undefined for what is no number. */
export function typed(text: string): number | null | undefined {
  if (!text.trim()) return null
  const number = Number(text.replace(',', '.'))
  return Number.isFinite(number) ? number : undefined
}
