import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

const LIFETIME_SECS = 300
const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

async function form(request: IncomingMessage): Promise<URLSearchParams> {
  let text = ''
  for await (const part of request) text += String(part)
  return new URLSearchParams(text)
}

/** An OpenID provider where whoever comes is signed in already. */
export class Provider {
  /** Who that is: its `sub` is what the provider calls somebody. */
  person = { sub: '42', name: 'Ann', email: 'ann@elsewhere.example', email_verified: true }
  issuer = ''
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  /** What was asked for with each code that was not redeemed yet. */
  readonly #asked = new Map<string, URLSearchParams>()
  readonly #server: Server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', this.issuer)
    if (pathname === '/authorize') {
      const back = new URL(searchParams.get('redirect_uri') ?? '')
      const code = `code-${this.#asked.size}`
      this.#asked.set(code, searchParams)
      back.search = new URLSearchParams({ code, state: searchParams.get('state') ?? '' }).toString()
      return void response.writeHead(302, { location: back.href }).end()
    }
    const answering = pathname === '/token' ? form(request).then((given) => this.#redeem(given)) : Promise.resolve(this.#tell(pathname))
    void answering.then((answer) => response.writeHead(answer ? 200 : 400, { 'content-type': 'application/json' }).end(JSON.stringify(answer)))
  })

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    this.issuer = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  #tell(pathname: string): object | null {
    if (pathname === '/keys') return { keys: [{ ...this.#keys.publicKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: 'one' }] }
    if (pathname !== '/.well-known/openid-configuration') return null
    const { issuer } = this
    const endpoints = { authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/keys` }
    const supported = { response_types_supported: ['code'], subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['ES256'], code_challenge_methods_supported: ['S256'] }
    return { issuer, ...endpoints, ...supported }
  }

  /** A code is good once, for who can say what the challenge was made of. */
  #redeem(given: URLSearchParams): object | null {
    const code = given.get('code') ?? ''
    const asked = this.#asked.get(code)
    const challenge = createHash('sha256').update(given.get('code_verifier') ?? '').digest('base64url')
    if (!asked || challenge !== asked.get('code_challenge') || given.get('redirect_uri') !== asked.get('redirect_uri')) return null
    this.#asked.delete(code)
    const iat = Math.floor(Date.now() / 1000)
    const claims = { ...this.person, iss: this.issuer, aud: asked.get('client_id'), nonce: asked.get('nonce'), iat, exp: iat + LIFETIME_SECS }
    const message = `${encoded({ alg: 'ES256', kid: 'one' })}.${encoded(claims)}`
    const signature = sign('sha256', Buffer.from(message), { key: this.#keys.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')
    return { access_token: 'x', token_type: 'Bearer', expires_in: LIFETIME_SECS, id_token: `${message}.${signature}` }
  }
}
