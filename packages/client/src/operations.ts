/**
 * One function for each operation of the API: `healthLive({ client: fairlead.http })`. They answer with the body and throw
 * `FairleadError`, like everything here.
 */
// biome-ignore-all lint/performance/noBarrelFile: the generated functions, one by one for bundlers.
// biome-ignore-all lint/performance/noReExportAll: the list of operations is the API's.
export * from "./generated/sdk.gen.ts"
