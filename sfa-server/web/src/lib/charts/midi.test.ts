import { expect, test } from 'vitest'
import { readMidi } from './midi'

const text = (letters: string) => [...letters].map((letter) => letter.charCodeAt(0))
const chunk = (name: string, ...bytes: number[]) => [...text(name), 0, 0, bytes.length >> 8, bytes.length & 0xff, ...bytes]
const head = (tracks: number) => chunk('MThd', 0, 1, 0, tracks, 1, 0xe0)
const file = (...bytes: number[]) => Uint8Array.from(bytes).buffer
/** 120 BPM, and from beat 2 on 60. */
const tempos = chunk('MTrk', 0, 0xff, 0x51, 3, 0x07, 0xa1, 0x20, 0x87, 0x40, 0xff, 0x51, 3, 0x0f, 0x42, 0x40, 0, 0xff, 0x2f, 0)

test('notes over a change of the tempo, with running status and note-ons that mean off', () => {
  const notes = chunk('MTrk', 0x83, 0x60, 0x90, 60, 100, 0x83, 0x60, 60, 0, 0, 64, 80, 0x83, 0x60, 0x80, 64, 0, 0, 0xff, 0x2f, 0)
  expect(readMidi(file(...head(2), ...tempos, ...notes))).toEqual([
    { start_secs: 0.5, end_secs: 1, pitch: 60, velocity: 100 },
    { start_secs: 1, end_secs: 2, pitch: 64, velocity: 80 },
  ])
})

test('other chunks are passed over, and files that end early do not hang', () => {
  const notes = chunk('MTrk', 0, 0x90, 60, 100, 0x83, 0x60, 0x80, 60, 0)
  const whole = [...head(1), ...chunk('XXXX', 1, 2, 3), ...notes]
  expect(readMidi(file(...head(2), ...chunk('XXXX', 1, 2, 3), ...notes))).toHaveLength(1)
  for (let length = 14; length < whole.length; length += 1) readMidi(file(...whole.slice(0, length)))
})

test.each([[[]], [text('RIFF')], [chunk('MThd', 0, 1, 0, 1, 0xe7, 0x28)]])('what is no such file says so', (bytes) => {
  expect(() => readMidi(file(...bytes))).toThrow(/MIDI/)
})
