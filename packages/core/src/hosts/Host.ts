/** A running server process, as it makes itself known to the others that share its database. */
import { Schema } from "effect"
import { HostId } from "../ids/HostId.ts"
import { RuntimeKind } from "../runtime/Job.ts"
import { Place } from "../runtime/Place.ts"

/** A place that a host serves. Hosts on one machine may serve the same. */
export const ServedPlace = Schema.Struct({
  place: Place,
  runtime: RuntimeKind,
  /** Scripts that may run there at once. */
  capacity: Schema.Int
})
export type ServedPlace = typeof ServedPlace.Type

export class Host extends Schema.Class<Host>("Host")({
  hostId: HostId,
  /** For people; unique only if the operator takes care of it. */
  name: Schema.NonEmptyString,
  version: Schema.String,
  startedAt: Schema.DateTimeUtcFromString,
  /** It has stopped, or is about to: it takes no more work. */
  leaving: Schema.Boolean,
  places: Schema.Array(ServedPlace)
}) {}

/** A host and how long it has been silent, by the clock of the store. */
export interface SeenHost {
  readonly host: Host
  readonly silentMillis: number
}

/** Two beats may be lost, and one may come late. */
export const aliveMillis = 10_000

export const isAlive = ({ host, silentMillis }: SeenHost): boolean => !host.leaving && silentMillis < aliveMillis

/** Places that living hosts serve, each once. */
export const servedPlaces = (hosts: ReadonlyArray<SeenHost>): ReadonlyMap<Place, ServedPlace> =>
  new Map(hosts.filter(isAlive).flatMap(({ host }) => host.places.map((served) => [served.place, served] as const)))

/** How long nobody has served the place; 0 while somebody does, `undefined` if nobody ever did that is still on record. */
export const unservedMillis = (hosts: ReadonlyArray<SeenHost>, place: Place): number | undefined => {
  const serving = hosts.filter(({ host }) => host.places.some((served) => served.place === place))
  if (serving.length === 0) return undefined
  return serving.some(isAlive) ? 0 : Math.min(...serving.map(({ silentMillis }) => silentMillis))
}
