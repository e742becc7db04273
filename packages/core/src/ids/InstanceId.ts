/** Identity of one run of a host: a restart is another. */
import { Schema } from "effect"

export const InstanceId = Schema.String.check(Schema.isUUID(7)).pipe(Schema.brand("HostId"))
export type InstanceId = typeof InstanceId.Type
