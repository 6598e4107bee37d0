import { expect, test } from 'vitest'
import { match, PLACES } from './places'

test('every room has an address, and deep links say what they are about', () => {
  expect(match(PLACES, '/')).toEqual({ name: 'library', parameters: {} })
  expect(match(PLACES, '/tracks/0190-a')).toEqual({ name: 'track', parameters: { id: '0190-a' } })
  expect(match(PLACES, '/tracks/a%20b/')).toEqual({ name: 'track', parameters: { id: 'a b' } })
  expect(match(PLACES, '/settings')).toEqual({ name: 'settings', parameters: {} })
  expect(match(PLACES, '/admin/audit')).toEqual({ name: 'admin', parameters: { part: 'audit' } })
})

test('what is no address is none', () => {
  for (const path of ['/tracks', '/tracks/a/b', '/nothing', '/tracks/%E0%A4%A']) expect(match(PLACES, path)).toBeNull()
})
