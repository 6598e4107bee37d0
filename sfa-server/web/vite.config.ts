import { fileURLToPath } from 'node:url'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import tailwindcss from '@tailwindcss/vite'
import { defineConfig } from 'vitest/config'

/** Where `npm run dev` finds a running `sfa serve`. */
const SERVER = process.env.SFA_SERVER ?? 'http://127.0.0.1:4000'

export default defineConfig({
  plugins: [tailwindcss(), svelte()],
  resolve: { alias: { $lib: fileURLToPath(new URL('./src/lib', import.meta.url)) } },
  build: {
    target: 'es2022',
    // The server's policy lets nothing run or be shown that stands within another file.
    assetsInlineLimit: 0,
  },
  worker: { format: 'es' },
  server: {
    proxy: {
      '/api': { target: SERVER, ws: true },
      '/files': { target: SERVER },
    },
  },
  test: { include: ['src/**/*.test.ts'] },
})
