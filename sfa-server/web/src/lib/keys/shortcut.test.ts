import { expect, test } from 'vitest'
import { isOfText, isPressed, isSingle, keysOf, type Press } from './shortcut'

function press(key: string, held: Partial<Press> = {}): Press {
  return { key, code: '', ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...held }
}

test('a shortcut is pressed by its keys and no others', () => {
  expect(isPressed('mod+k', press('k', { ctrlKey: true }))).toBe(true)
  expect(isPressed('mod+k', press('K', { metaKey: true }))).toBe(true)
  expect(isPressed('mod+k', press('k'))).toBe(false)
  expect(isPressed('k', press('k', { ctrlKey: true }))).toBe(false)
  expect(isPressed('space', press(' '))).toBe(true)
  expect(isPressed('arrowleft', press('ArrowLeft', { shiftKey: true }))).toBe(false)
  expect(isPressed('shift+arrowleft', press('ArrowLeft', { shiftKey: true }))).toBe(true)
})

test('digits with Shift are keys wherever the keyboard is from', () => {
  expect(isPressed('shift+1', press('!', { code: 'Digit1', shiftKey: true }))).toBe(true)
  expect(isPressed('shift+7', press('/', { code: 'Digit7', shiftKey: true }))).toBe(true)
  expect(isPressed('1', press('!', { code: 'Digit1', shiftKey: true }))).toBe(false)
  expect(isPressed('shift+1', press('1', { code: 'Digit1' }))).toBe(false)
})

test('fields of text keep their own keys', () => {
  expect(['mod+z', 'mod+a', 'mod+shift+z'].every(isOfText)).toBe(true)
  expect(['mod+k', 'z', 'mod+,'].some(isOfText)).toBe(false)
})

test('signs are typed with whatever they need', () => {
  expect(isPressed('?', press('?', { shiftKey: true }))).toBe(true)
  expect(isPressed('+', press('+'))).toBe(false)
  expect(isPressed('=', press('='))).toBe(true)
})

test('single keys can be told from others', () => {
  expect(['space', '?', 'shift+arrowleft'].every(isSingle)).toBe(true)
  expect(isSingle('mod+k')).toBe(false)
  expect(keysOf('mod+k', true)).toEqual(['⌘', 'K'])
  expect(keysOf('mod+k', false)).toEqual(['Ctrl', 'K'])
})
