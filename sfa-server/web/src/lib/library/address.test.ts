import { expect, test } from 'vitest'
import { addressesIn, shownAs } from './address'

test('addresses are told from other text', () => {
  expect(addressesIn('https://songs.example/a.flac')).toEqual(['https://songs.example/a.flac'])
  expect(addressesIn(' https://a.example/1.mp3\r\nhttp://a.example/2.mp3\n\nhttps://a.example/1.mp3')).toEqual(['https://a.example/1.mp3', 'http://a.example/2.mp3'])
  expect(addressesIn('# from a browser\nhttps://a.example/1.mp3')).toEqual(['https://a.example/1.mp3'])
  // An article with a link in it is no link.
  expect(addressesIn('look at this\nhttps://a.example/1.mp3')).toEqual([])
  for (const other of ['', 'night drive', 'see https://a.example', 'https://a.example/x y', 'file:///etc/passwd', 'javascript:alert(1)', 'https://']) {
    expect(addressesIn(other), other).toEqual([])
  }
})

test('an address is shown as its file, without what may be secret', () => {
  expect(shownAs('https://songs.example/crate/Night%20Drive.flac?key=secret#x')).toBe('Night Drive.flac')
  expect(shownAs('https://songs.example/')).toBe('songs.example')
  expect(shownAs('https://songs.example/100%.mp3')).toBe('100%.mp3')
})
