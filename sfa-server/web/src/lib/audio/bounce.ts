import type { Command } from './engine'
import engineUrl from './engine.worklet?worker&url'
import type { Copied } from './engine.worklet'

/** What is to be rendered: the player's own commands, and where its samples are. */
export interface Bounce {
  rate_hz: number
  /** Of the song. */
  frames: number
  /** Channels that are heard. */
  heard: readonly number[]
  channels: number
  /** Gains, speed, click and so on, as they are set now. */
  settings: readonly Command[]
  /** In frames of the song. */
  start: number
  end: number
  speed: number
  /** Gives some frames of a channel. */
  copy: (channel: number, start: number, frames: number) => Promise<Copied>
}

const PIECE_SECS = 5

/** Plays a stretch through the same engine as fast as the machine can, and returns what would have been heard. */
export async function bounce(wanted: Bounce): Promise<AudioBuffer> {
  const { rate_hz, frames, heard, channels, start, end, speed } = wanted
  const context = new OfflineAudioContext(2, Math.max(1, Math.round((end - start) / speed)), rate_hz)
  await context.audioWorklet.addModule(engineUrl)
  const node = new AudioWorkletNode(context, 'stem-player', { numberOfInputs: 0, outputChannelCount: [2] })
  node.connect(context.destination)
  const say = (command: Command, transfer: Transferable[] = []) => node.port.postMessage(command, transfer)
  const answered = acknowledged(node.port)
  say({ type: 'load', frames, channels })
  for (const channel of heard) {
    const piece = Math.round(PIECE_SECS * rate_hz)
    for (let at = 0; at < frames; at += piece) {
      const { left, right } = await wanted.copy(channel, at, piece)
      say({ type: 'fill', channel, start: at, left, right }, [left.buffer, right.buffer])
    }
  }
  for (const command of wanted.settings) say(command)
  say({ type: 'seek', frame: start })
  say({ type: 'play', isCut: true })
  // Rendering may begin before the audio thread has read its letters; the last one is answered when it has.
  await answered(wanted.settings.length + 3)
  return context.startRendering()
}

/** Counts the reports that commands are answered with. */
function acknowledged(port: MessagePort): (count: number) => Promise<void> {
  let seen = 0
  let onSeen = () => {}
  port.onmessage = () => {
    seen += 1
    onSeen()
  }
  return (count) =>
    new Promise((resolve) => {
      onSeen = () => seen >= count && resolve()
      onSeen()
    })
}
