/** The API for programs that use Effect. Needs `effect` and `@fairlead/http` beside this package. */
// biome-ignore-all lint/performance/noBarrelFile: a subpath of its own, so that nobody else needs Effect.
export {
  type BearerOptions,
  FairleadApi,
  type FairleadApiOptions,
  type RedactedTokens
} from "./effect/internal/FairleadApi.ts"
