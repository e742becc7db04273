/** Bodies hold what the contract names and nothing else: a misspelt member is a mistake that the caller hears of, not a wish that is dropped. */
import type { SchemaAST } from "effect"

/** Annotate every group that takes bodies with it, as `HttpApi.PayloadParseOptions`: a member that its schema does not name is refused with its path. */
export const onlyKnownMembers: SchemaAST.ParseOptions = { onExcessProperty: "error", errors: "all" }
