import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** The first Chromium that there is on this machine. */
export const chromium = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].find((path) => path && existsSync(path))

const target = process.env.CARGO_TARGET_DIR ?? here('../../../target')

/** The program whose studio is tested; a debug build reads the studio from `dist`. */
export const sfa = [process.env.SFA_BINARY, `${target}/debug/sfa`, `${target}/release/sfa`].find(
  (path) => path && existsSync(path),
)

/** Why nothing can be tested here, or nothing. */
export const missing = [
  ...(chromium ? [] : ['no Chromium was found; CHROMIUM says where it is']),
  ...(sfa ? [] : ['no sfa was built; cargo build --package sfa-server does']),
  ...(existsSync(here('../dist/index.html')) ? [] : ['the studio was not built; npm run build does']),
].join('; ')
