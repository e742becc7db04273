/** The token of an `Authorization: Bearer` header, the scheme in any case; none for an empty one or another scheme. */
export const bearerOf = (authorization: string | undefined): string | undefined =>
  authorization === undefined ? undefined : /^Bearer +(\S+)$/i.exec(authorization)?.[1]
