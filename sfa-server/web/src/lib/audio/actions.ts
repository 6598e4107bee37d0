import type { Song } from '$lib/api/client'
import type { Action } from '$lib/keys/actions.svelte'
import { songs } from '$lib/library/songs.svelte'
import { player } from './player.svelte'
import { stemLook } from './stems'

const STEP_SECS = 5
const FINE_STEP_SECS = 0.5
const MOST_STEMS = 9

const isOpen = () => player.song !== null

/** Opens a song and plays it, or goes on with the one that is open. */
export async function playSong(song: Song): Promise<void> {
  if (player.song?.id === song.id && !player.failure) {
    player.toggle()
    return
  }
  const opening = player.open(song)
  player.play()
  await opening
  if (player.failure && player.song?.id === song.id) throw player.failure
}

/** What the player can do, whichever room is open. */
export function playerActions(): Action[] {
  const seekBy = (by_secs: number) => () => player.seek(player.position_secs + by_secs)
  return [
    { id: 'player.toggle', name: 'Play or pause', group: 'Player', shortcuts: ['space'], isPossible: isOpen, run: () => player.toggle() },
    { id: 'player.back', name: 'Back 5 seconds', group: 'Player', shortcuts: ['arrowleft'], isPossible: isOpen, run: seekBy(-STEP_SECS) },
    { id: 'player.forward', name: 'Forward 5 seconds', group: 'Player', shortcuts: ['arrowright'], isPossible: isOpen, run: seekBy(STEP_SECS) },
    { id: 'player.back-fine', name: 'Back half a second', group: 'Player', shortcuts: ['shift+arrowleft'], isPossible: isOpen, run: seekBy(-FINE_STEP_SECS) },
    { id: 'player.forward-fine', name: 'Forward half a second', group: 'Player', shortcuts: ['shift+arrowright'], isPossible: isOpen, run: seekBy(FINE_STEP_SECS) },
    { id: 'player.start', name: 'To the start', group: 'Player', shortcuts: ['home'], isPossible: isOpen, run: () => player.seek(0) },
    { id: 'player.end', name: 'To the end', group: 'Player', shortcuts: ['end'], isPossible: isOpen, run: () => player.seek(player.duration_secs) },
    {
      id: 'player.seek',
      name: 'Go to a place',
      group: 'Player',
      argument: { name: 'seconds from the start', least: 0, most: 24 * 3600 },
      isPossible: isOpen,
      run: (to_secs) => player.seek(to_secs),
    },
    { id: 'player.no-loop', name: 'Leave the loop', group: 'Player', shortcuts: ['l'], isPossible: () => player.loop !== null, run: () => player.setLoop(null) },
    { id: 'player.reset', name: 'Reset the mixer', group: 'Player', shortcuts: ['r'], isPossible: isOpen, run: () => player.reset() },
    { id: 'player.close', name: 'Close the player', group: 'Player', isPossible: isOpen, run: () => player.close() },
    ...Array.from({ length: MOST_STEMS }, (_, at): Action => ({
      id: `player.solo-${at + 1}`,
      get name() {
        const channel = player.channels[at]
        return channel ? `Solo ${stemLook(channel.kind).name}` : `Solo stem ${at + 1}`
      },
      group: 'Player',
      shortcuts: [String(at + 1)],
      isPossible: () => player.channels.length > 1 && at < player.channels.length,
      run: () => player.toggleSolo(at, true),
    })),
  ]
}

/** Songs go, also by other hands; what plays goes with them. */
export function forgetRemovedSong(): void {
  if (player.song && songs.isLoaded && !songs.find(player.song.id)) player.close()
}
