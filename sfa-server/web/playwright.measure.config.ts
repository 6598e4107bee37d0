import { defineConfig } from '@playwright/test'
import usual from './playwright.config'

/** Measurements want a machine for themselves, so they are no part of the tests. */
export default defineConfig({ ...usual, testDir: 'measure' })
