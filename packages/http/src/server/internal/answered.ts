/** Answers with success, as text that the wire schema's own function writes: the builder would encode and check each value by the schema. */
import { HttpServerResponse } from "effect/http"
import type { Wire } from "../../api/Wire.ts"

/** Status 200. The value is checked by the compiler, against the schema that the endpoint must have declared. */
export const answered = <A>({ text }: Wire<A>, value: NoInfer<A>): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(text(value), { contentType: "application/json" })
