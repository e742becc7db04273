/**
 * The CSRF token that a page of the API's own origin can read, from the cookie that an API of this address has: `csrf_token` at the root of
 * its server, `csrf_token_cp` under `/cp`. `undefined` outside of pages, and on pages of another origin: a cookie of that name there is
 * somebody else's.
 */
export const readableCsrf = (baseUrl: string): string | undefined => {
  const { document, location } = globalThis
  if (document === undefined) return undefined
  const { origin, pathname } = new URL(baseUrl, location.href)
  const suffix = pathname.replace(/\/+$/, "").replace(/[^A-Za-z0-9]+/g, "_")
  return origin === location.origin
    ? new RegExp(`(?:^|; )csrf_token${suffix}=([^;]*)`).exec(document.cookie)?.[1]
    : undefined
}
