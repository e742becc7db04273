/** Bodies and queries hold what the contract names and nothing else: a misspelt name is a mistake that the caller hears of, not a wish that is dropped. */
import { Context, type SchemaAST } from "effect"
import { HttpApi } from "effect/http-api"

const refused: SchemaAST.ParseOptions = { onExcessProperty: "error", errors: "all" }

/** Every group merges it into its annotations: what a schema of a body or a query does not name is refused with its path. */
export const onlyKnownMembers = Context.make(HttpApi.PayloadParseOptions, refused).pipe(
  Context.add(HttpApi.QueryParseOptions, refused)
)
