import { defineConfig } from '@playwright/test'
import { chromium } from './e2e/machine'

export default defineConfig({
  testDir: 'e2e',
  workers: 1,
  // The first test has a song separated, on whatever machine this is.
  timeout: 240_000,
  expect: { timeout: 20_000 },
  reporter: 'list',
  use: {
    viewport: { width: 1440, height: 900 },
    launchOptions: {
      ...(chromium ? { executablePath: chromium } : {}),
      args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'],
    },
  },
})
