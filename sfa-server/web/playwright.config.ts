import { defineConfig } from '@playwright/test'
import { chromium } from './e2e/machine'

export default defineConfig({
  testDir: 'e2e',
  workers: 1,
  // Songs are separated meanwhile, on whatever machine this is.
  timeout: 600_000,
  expect: { timeout: 30_000 },
  reporter: 'list',
  use: {
    viewport: { width: 1440, height: 900 },
    // What is still fading has other contrasts than it will have.
    contextOptions: { reducedMotion: 'reduce' },
    launchOptions: {
      ...(chromium ? { executablePath: chromium } : {}),
      args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'],
    },
  },
})
