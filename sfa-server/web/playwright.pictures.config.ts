import { defineConfig } from '@playwright/test'
import usual from './playwright.config'

/** Pictures are looked at by people, so they are no part of the tests. */
export default defineConfig({ ...usual, testDir: 'pictures', timeout: 1_200_000 })
