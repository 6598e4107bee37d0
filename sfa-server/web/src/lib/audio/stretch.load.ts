import address from 'signalsmith-stretch?url'
import type { StretchProgram } from './stretch'

/** Fetches the stretcher. */
export async function loadStretch(): Promise<StretchProgram> {
  return programIn(await (await fetch(address)).text())
}

/**
 * Takes the compiled program out of the package, which brings glue for a node of its own: the player has one clock for
 * everything and calls the program from there.
 */
export async function programIn(source: string): Promise<StretchProgram> {
  const [, program] = /data:application\/octet-stream;base64,([A-Za-z0-9+/=]{1000,})/.exec(source) ?? []
  if (!program) throw new Error('signalsmith-stretch has another form than that of 1.3')
  const names: Record<string, string> = { construct: /__wasm_call_ctors=wasmExports\["(\w+)"\]/.exec(source)?.[1] ?? '' }
  for (const [, name, short] of source.matchAll(/Module\["_(\w+)"\]=wasmExports\["(\w+)"\]/g)) {
    if (name && short) names[name] = short
  }
  const bytes = Uint8Array.from(atob(program), (letter) => letter.charCodeAt(0))
  return { module: await WebAssembly.compile(bytes), names }
}
