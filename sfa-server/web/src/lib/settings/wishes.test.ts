import { expect, test } from 'vitest'
import { STEPS, toggled, typed } from './wishes'

test('what is chosen keeps the order of the list', () => {
  expect(toggled(STEPS, ['export', 'separate'], 'analyze')).toEqual(['separate', 'analyze', 'export'])
  expect(toggled(STEPS, ['separate', 'analyze'], 'analyze')).toEqual(['separate'])
})

test('a number is one, none, or nonsense', () => {
  expect(['', ' ', '7', '0,5', '-3.5', 'many', '1e999'].map(typed)).toEqual([null, null, 7, 0.5, -3.5, undefined, undefined])
})
