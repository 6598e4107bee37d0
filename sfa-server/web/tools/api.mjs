// Writes the types of the API anew from the document that the server's tests hold it to, or with --check only says whether they are still those.
import { readFile, writeFile } from 'node:fs/promises'
import openapiTS, { astToString } from 'openapi-typescript'

const DOCUMENT = new URL('../../tests/http/openapi.json', import.meta.url)
const TYPES = new URL('../src/lib/api/schema.d.ts', import.meta.url)

const document = JSON.parse(await readFile(DOCUMENT, 'utf8'))
const types = `// Made from tests/http/openapi.json by \`npm run api\`; not to be edited.\n\n${astToString(await openapiTS(document))}`

if (process.argv.includes('--check')) {
  if ((await readFile(TYPES, 'utf8')) !== types) {
    console.error('src/lib/api/schema.d.ts is not what tests/http/openapi.json says: npm run api')
    process.exit(1)
  }
} else {
  await writeFile(TYPES, types)
}
