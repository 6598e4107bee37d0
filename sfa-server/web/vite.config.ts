import { fileURLToPath } from 'node:url'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import tailwindcss from '@tailwindcss/vite'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

/** Where `npm run dev` finds a running `sfa serve`. */
const SERVER = process.env.SFA_SERVER ?? 'http://127.0.0.1:4000'

/** The page itself and what stands beside it in `public`. */
const BESIDE = ['/', '/icon.svg', '/icon-192.png', '/manifest.webmanifest']

/** Tells the service worker by name what was built. Alphabets are fetched by those who read them. */
function shell(): Plugin {
  return {
    name: 'shell',
    apply: 'build',
    enforce: 'post',
    generateBundle(_, bundle) {
      const worker = bundle['sw.js']
      if (worker?.type !== 'chunk') this.error('there is no service worker')
      const built = Object.keys(bundle).filter((name) => name.startsWith('assets/') && !/inter-(?!latin-wght)/.test(name))
      worker.code = worker.code.replaceAll('__SHELL__', JSON.stringify([...BESIDE, ...built.sort().map((name) => `/${name}`)]))
    },
  }
}

export default defineConfig({
  plugins: [tailwindcss(), svelte(), shell()],
  resolve: { alias: { $lib: fileURLToPath(new URL('./src/lib', import.meta.url)) } },
  build: {
    target: 'es2022',
    // The server's policy lets nothing run or be shown that stands within another file.
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: { index: 'index.html', sw: 'src/sw.ts' },
      // A service worker keeps its name, and is asked for at the root, to be in charge of all of it.
      output: { entryFileNames: ({ name }) => (name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js') },
    },
  },
  worker: { format: 'es' },
  server: {
    proxy: {
      '/api': { target: SERVER, ws: true },
      '/files': { target: SERVER },
    },
  },
  test: { include: ['src/**/*.test.ts'], testTimeout: 60_000 },
})
