/** Where a request came from, for the event log. */
export interface Origin {
  readonly correlationId: string
  readonly ipAddress?: string | undefined
  readonly userAgent?: string | undefined
}
