/** Identity of one run of a host: a restart is another. */
import { Schema } from "effect"

export const HostId = Schema.String.check(Schema.isUUID(7)).pipe(Schema.brand("HostId"))
export type HostId = typeof HostId.Type
