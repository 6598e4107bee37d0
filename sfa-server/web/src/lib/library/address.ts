/** The addresses of a text that is nothing but addresses of the web, one a line; remarks begin with `#`. */
export function addressesIn(text: string): string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim())
  const told = lines.filter((line) => line !== '' && !line.startsWith('#'))
  return told.every(isAddress) ? [...new Set(told)] : []
}

function isAddress(line: string): boolean {
  return /^https?:\/\/\S+$/i.test(line) && URL.canParse(line)
}

/** What an address is shown as: the name of the file, or of the machine. What stands behind `?` may be a secret. */
export function shownAs(address: string): string {
  const { pathname, host } = new URL(address)
  const file = pathname.split('/').at(-1) ?? ''
  try {
    return decodeURIComponent(file) || host
  } catch {
    return file
  }
}
