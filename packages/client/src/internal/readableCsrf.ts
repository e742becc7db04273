/** The CSRF token that a page of the API's own origin can read. */
export const csrfCookie = "csrf_token"

/** `undefined` outside of pages, and on pages of another origin: a cookie of that name there is somebody else's. */
export const readableCsrf = (baseUrl: string): string | undefined => {
  const { document, location } = globalThis
  if (document === undefined || new URL(baseUrl, location.href).origin !== location.origin) return undefined
  return new RegExp(`(?:^|; )${csrfCookie}=([^;]*)`).exec(document.cookie)?.[1]
}
