import { api, Failure, take, whenSignedOut, type Me, type Server } from '$lib/api/client'

/**
 * Set while somebody is signed in here. The cookie itself is none of this page's business, and asking without it would
 * only be refused.
 */
const HINT = 'sfa.signed-in'
const ADMINS = ['admin', 'super_admin']
const STAFF = [...ADMINS, 'moderator']

class SessionState {
  me = $state.raw<Me | null>(null)
  server = $state.raw<Server | null>(null)
  isKnown = $state(false)
  failure = $state.raw<Failure | null>(null)

  get isStaff(): boolean {
    return STAFF.includes(this.me?.role ?? '')
  }

  get isAdmin(): boolean {
    return ADMINS.includes(this.me?.role ?? '')
  }

  /** Finds out who is here. */
  async open(): Promise<void> {
    try {
      const server = take(api.GET('/api/v1/server'))
      const me = localStorage.getItem(HINT) ? await this.#whoAmI() : null
      this.server = (await server).data
      this.me = me
      this.isKnown = true
      this.failure = null
    } catch (cause) {
      this.failure = Failure.from(cause)
    }
  }

  async #whoAmI(): Promise<Me | null> {
    try {
      return (await take(api.GET('/api/v1/me'))).data
    } catch (cause) {
      if (Failure.from(cause).code === 'unauthorized') return null
      throw cause
    }
  }

  async refresh(): Promise<void> {
    this.me = await this.#whoAmI()
  }

  async logIn(email: string, password: string): Promise<void> {
    await take(api.POST('/api/v1/login', { body: { email, password } }))
    await this.#entered()
  }

  async register(name: string, email: string, password: string): Promise<void> {
    await take(api.POST('/api/v1/register', { body: { name, email, password } }))
    await this.#entered()
  }

  async setUp(token: string, name: string, email: string, password: string): Promise<void> {
    await take(api.POST('/api/v1/setup', { body: { token, name, email, password } }))
    await this.#entered()
    if (this.server) this.server = { ...this.server, needs_set_up: false }
  }

  async #entered(): Promise<void> {
    localStorage.setItem(HINT, '1')
    await this.refresh()
  }

  async logOut(): Promise<void> {
    await take(api.POST('/api/v1/logout'))
    this.forget()
  }

  /** What there is to do when the server knows this browser no more. */
  forget(): void {
    localStorage.removeItem(HINT)
    this.me = null
  }
}

/** Who is here. */
export const session = new SessionState()
whenSignedOut(() => session.forget())
