import type { Song } from '$lib/api/client'
import type { Action } from '$lib/keys/actions.svelte'
import { songs } from '$lib/library/songs.svelte'
import { download } from '$lib/ui/download'
import { toasts } from '$lib/ui/toasts.svelte'
import { player } from './player.svelte'
import { stemLook } from './stems'
import { FASTEST, MOST_SEMITONES, SLOWEST } from './workspace'

const LOOP_BARS = [1, 2, 4, 8]
const SPEED_STEP = 0.05
const VOLUME_STEP = 0.1
const STEP_SECS = 5
const FINE_STEP_SECS = 0.5
const MOST_STEMS = 9

const isOpen = () => player.song !== null
const hasStems = () => player.channels.length > 1
/** Steps of a slider meet the round numbers. */
const stepped = (value: number, by: number) => Math.round((value + by) / SPEED_STEP) * SPEED_STEP

async function saveMix(): Promise<void> {
  const { song, loop } = player
  if (!song) return
  const made = await player.bounce()
  if (!made) return
  download(made.file, `${[song.title, 'mix', loop?.name].filter(Boolean).join(' - ')}.wav`)
  toasts.done(made.lowered_db > 0 ? `The mix was ${made.lowered_db.toFixed(1)} dB too loud and was lowered` : 'The mix was saved')
}

/** Opens a song and plays it, or goes on with the one that is open. */
export async function playSong(song: Song): Promise<void> {
  if (player.song?.id === song.id && !player.failure) {
    player.toggle()
    return
  }
  const opening = player.open(song)
  player.play()
  await opening
  if (!player.failure || player.song?.id !== song.id) return
  // Asking for a file is how the server finds out that it is gone.
  void songs.lookForFiles()
  throw player.failure
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
    { id: 'player.loop-start', name: 'Loop from here', group: 'Loop', shortcuts: ['['], isPossible: isOpen, run: () => player.startLoop() },
    { id: 'player.loop-end', name: 'Loop up to here', group: 'Loop', shortcuts: [']'], isPossible: isOpen, run: () => player.endLoop() },
    { id: 'player.loop', name: 'Leave the loop, or go back into it', group: 'Loop', shortcuts: ['l'], isPossible: () => player.hasLoop, run: () => player.toggleLoop() },
    ...LOOP_BARS.map(
      (bars): Action => ({
        id: `player.loop-${bars}`,
        name: `Loop ${bars === 1 ? 'this bar' : `${bars} bars`}`,
        group: 'Loop',
        ...(bars === 4 ? { shortcuts: ['b'] } : {}),
        isPossible: () => isOpen() && player.grid.beats.length > 0,
        run: () => player.loopBars(bars),
      }),
    ),
    { id: 'player.mute', name: 'Mute or hear all', group: 'Player', shortcuts: ['m'], isPossible: isOpen, run: () => player.toggleMaster() },
    { id: 'player.louder', name: 'Louder', group: 'Player', shortcuts: ['shift+arrowup'], isPossible: isOpen, run: () => player.setMaster(player.volume + VOLUME_STEP) },
    { id: 'player.softer', name: 'Softer', group: 'Player', shortcuts: ['shift+arrowdown'], isPossible: isOpen, run: () => player.setMaster(player.volume - VOLUME_STEP) },
    { id: 'player.volume', name: 'Volume', group: 'Player', argument: { name: 'volume', least: 0, most: 1 }, isPossible: isOpen, run: (volume) => player.setMaster(volume) },
    {
      id: 'player.original',
      name: 'Compare with the original',
      group: 'Player',
      shortcuts: ['o'],
      isPossible: hasStems,
      run: () => player.listen(player.listening === 'original' ? 'mix' : 'original'),
    },
    { id: 'player.speed', name: 'Speed', group: 'Practice', argument: { name: 'speed', least: SLOWEST, most: FASTEST }, isPossible: isOpen, run: (speed) => player.setSpeed(speed) },
    { id: 'player.slower', name: 'Slower', group: 'Practice', shortcuts: [','], isPossible: isOpen, run: () => player.setSpeed(stepped(player.speed, -SPEED_STEP)) },
    { id: 'player.faster', name: 'Faster', group: 'Practice', shortcuts: ['.'], isPossible: isOpen, run: () => player.setSpeed(stepped(player.speed, SPEED_STEP)) },
    {
      id: 'player.pitch',
      name: 'Pitch',
      group: 'Practice',
      argument: { name: 'semitones', least: -MOST_SEMITONES, most: MOST_SEMITONES },
      isPossible: isOpen,
      run: (semitones) => player.setSemitones(semitones),
    },
    { id: 'player.lower', name: 'A semitone lower', group: 'Practice', shortcuts: ['<'], isPossible: isOpen, run: () => player.setSemitones(player.semitones - 1) },
    { id: 'player.higher', name: 'A semitone higher', group: 'Practice', shortcuts: ['>'], isPossible: isOpen, run: () => player.setSemitones(player.semitones + 1) },
    {
      id: 'player.as-recorded',
      name: 'Speed and pitch as recorded',
      group: 'Practice',
      isPossible: () => player.speed !== 1 || player.semitones !== 0,
      run: () => player.asRecorded(),
    },
    { id: 'player.click', name: 'Click on the beats', group: 'Practice', shortcuts: ['k'], isPossible: () => isOpen() && player.grid.beats.length > 0, run: () => player.setClick(player.click > 0 ? 0 : 0.5) },
    { id: 'player.save-mix', name: 'Save the mix as a file', group: 'Player', isPossible: () => isOpen() && player.loaded === 1, run: saveMix },
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
      isPossible: () => hasStems() && at < player.channels.length,
      run: () => player.toggleSolo(at, true),
    })),
  ]
}

/** Songs go, also by other hands, and what plays goes with them; others were only just analysed. */
export function followSong(): void {
  if (!player.song || !songs.isWhole) return
  const song = songs.find(player.song.id)
  if (song) void player.learn(song)
  else player.close()
}
