/**
 * Statuses of HTTP itself that an endpoint answers beside its own: a part of what was asked for, or nothing because the caller has it. They
 * are for the document; a handler makes them by hand.
 */
import { Context } from "effect"

export const HttpStatuses = Context.Reference<Readonly<Partial<Record<"206" | "304", string>>>>(
  "@fairlead/http/api/HttpStatuses",
  { defaultValue: () => ({}) }
)
