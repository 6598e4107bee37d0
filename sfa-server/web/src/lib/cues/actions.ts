import type { Grid } from '$lib/audio/grid'
import { player } from '$lib/audio/player.svelte'
import type { Action } from '$lib/keys/actions.svelte'
import { nameOf, PAD_COLOURS, type CueSheet } from './sheet.svelte'

const ms = (secs: number) => Math.round(secs * 1000)

/** What can be done with the cues of a song whose page is open. New ones are set on the nearest beat. */
export function cueActions(sheet: CueSheet, grid: () => Grid, seek: (to_secs: number) => Promise<void>): Action[] {
  const isOpen = () => player.song?.id === sheet.track

  async function addHere(pad: number | null): Promise<void> {
    const colour = pad === null ? null : (PAD_COLOURS[pad] ?? null)
    await sheet.add({ start_ms: ms(grid().snap(player.position_secs)), pad, colour })
  }

  async function press(pad: number): Promise<void> {
    const cue = sheet.ofPad(pad)
    if (cue) await seek(cue.start_ms / 1000)
    else await addHere(pad)
  }

  async function keepLoop(): Promise<void> {
    const { loop } = player
    if (loop) await sheet.add({ label: loop.name, start_ms: ms(loop.start_secs), end_ms: ms(loop.end_secs) })
  }

  return [
    { id: 'cue.add', name: 'Add a cue at the playhead', group: 'Cues', shortcuts: ['c'], isPossible: isOpen, run: () => addHere(sheet.freePad) },
    { id: 'cue.keep-loop', name: 'Keep the loop', group: 'Cues', shortcuts: ['shift+l'], isPossible: () => isOpen() && player.loop !== null, run: keepLoop },
    { id: 'cue.undo', name: 'Undo what was done to cues', group: 'Cues', shortcuts: ['mod+z'], isPossible: () => sheet.canUndo, run: () => sheet.undo() },
    ...PAD_COLOURS.map(
      (_, pad): Action => ({
        id: `cue.hot-${pad + 1}`,
        get name() {
          const cue = sheet.ofPad(pad)
          return cue ? `Hot cue ${pad + 1}: ${nameOf(cue)}` : `Set hot cue ${pad + 1}`
        },
        group: 'Cues',
        shortcuts: [`shift+${pad + 1}`],
        isPossible: () => isOpen() || sheet.ofPad(pad) !== undefined,
        run: () => press(pad),
      }),
    ),
  ]
}
