import type { Command } from './engine'
import engineUrl from './engine.worklet?worker&url'
import type { Grid } from './grid'
import { loadStretch } from './stretch.load'
import type { AudioThread } from './thread'
import { encodeWav } from './wav'
import type { NamedLoop } from './workspace'

/** What is to be rendered. */
interface Mix {
  channels: number
  /** How the player is set. */
  settings: readonly Command[]
  /** What to render; the whole song where there is none. */
  loop: NamedLoop | null
  grid: Grid
  speed: number
  semitones: number
}

const PIECE_SECS = 5

/** Plays a mix through the same engine as fast as the machine can, into a file of what would have been heard. */
export async function renderMix(thread: AudioThread, mix: Mix): Promise<{ file: Blob; lowered_db: number }> {
  const { rate_hz } = thread
  const start = mix.loop ? Math.round(mix.loop.start_secs * rate_hz) : 0
  const end = mix.loop ? Math.round(mix.loop.end_secs * rate_hz) : thread.frames
  const context = new OfflineAudioContext(2, Math.max(1, Math.round((end - start) / mix.speed)), rate_hz)
  await context.audioWorklet.addModule(engineUrl)
  const node = new AudioWorkletNode(context, 'stem-player', { numberOfInputs: 0, outputChannelCount: [2] })
  node.connect(context.destination)

  const commands: Command[] = [
    { type: 'beats', beats: mix.grid.inFrames(rate_hz) },
    // How loud the room is, is no matter of the mix.
    ...mix.settings.filter(({ type }) => type !== 'master'),
    { type: 'seek', frame: start },
    { type: 'play', isCut: true },
  ]
  if (mix.speed !== 1 || mix.semitones !== 0) commands.unshift({ type: 'stretcher', program: await loadStretch() })
  const say = (command: Command, transfer: Transferable[] = []) => node.port.postMessage(command, transfer)
  // Rendering may begin before the audio thread has read its letters; the last one is answered when it has.
  const answered = reports(node.port, commands.length + 1)
  say({ type: 'load', frames: thread.frames, channels: mix.channels })
  for (const channel of heard(mix.settings)) {
    const piece = Math.round(PIECE_SECS * rate_hz)
    for (let at = 0; at < thread.frames; at += piece) {
      const { left, right } = await thread.copy(channel, at, piece)
      say({ type: 'fill', channel, start: at, left, right }, [left.buffer, right.buffer])
    }
  }
  for (const command of commands) say(command)
  await answered
  const audio = await context.startRendering()
  return encodeWav(audio.getChannelData(0), audio.getChannelData(1), rate_hz)
}

function heard(settings: readonly Command[]): number[] {
  return settings.flatMap((command) => (command.type === 'gain' && command.gain.left + command.gain.right > 0 ? [command.channel] : []))
}

/** Resolves when so many commands were answered. */
function reports(port: MessagePort, count: number): Promise<void> {
  let seen = 0
  return new Promise((resolve) => {
    port.onmessage = () => {
      seen += 1
      if (seen === count) resolve()
    }
  })
}
