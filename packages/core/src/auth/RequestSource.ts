/** Where a request came from, for the event log. */
export interface RequestSource {
  readonly correlationId: string
  readonly ipAddress?: string | undefined
  readonly userAgent?: string | undefined
}

/** The same as a plain value of bounded size, fit to be stored: at most 64 characters of address and 500 of user agent. */
export const storedSource = ({ correlationId, ipAddress, userAgent }: RequestSource): RequestSource => ({
  correlationId,
  ipAddress: ipAddress?.slice(0, 64),
  userAgent: userAgent?.slice(0, 500)
})
