/** How much of the instance requests may take. */
import { integer } from "./Setting.ts"

export const requestSettings = {
  FAIRLEAD_REQUEST_SECONDS: integer(
    "FAIRLEAD_REQUEST_SECONDS",
    [1, 600],
    20,
    "How long an answer may take beyond the time that the caller asked to wait; then it is 503, whatever the database does."
  ),
  FAIRLEAD_STALLED_SECONDS: integer(
    "FAIRLEAD_STALLED_SECONDS",
    [1, 600],
    15,
    "A reader that takes nothing of an answer or stream for so long loses its connection."
  ),
  FAIRLEAD_KEEP_ALIVE_SECONDS: integer(
    "FAIRLEAD_KEEP_ALIVE_SECONDS",
    [1, 3_600],
    75,
    "How long a connection without a request stays open: longer than balancers in front keep theirs, which is often 60 s."
  ),
  FAIRLEAD_MAX_CONNECTIONS: integer("FAIRLEAD_MAX_CONNECTIONS", [10, 100_000], 8_192, "Open connections at once."),
  FAIRLEAD_MAX_CONNECTIONS_PER_ADDRESS: integer(
    "FAIRLEAD_MAX_CONNECTIONS_PER_ADDRESS",
    [1, 100_000],
    2_048,
    "The same of one address that is not in `FAIRLEAD_TRUSTED_PROXIES`; one more takes the place of the one that has been silent for longest."
  ),
  FAIRLEAD_MAX_STREAMS: integer(
    "FAIRLEAD_MAX_STREAMS",
    [1, 100_000],
    4_096,
    "Event streams and followed outputs at once, of everybody; more are refused with 503."
  ),
  FAIRLEAD_MAX_STREAMS_PER_USER: integer(
    "FAIRLEAD_MAX_STREAMS_PER_USER",
    [1, 100_000],
    5,
    "The same of one user; 429."
  ),
  FAIRLEAD_MAX_HELD_REQUESTS: integer(
    "FAIRLEAD_MAX_HELD_REQUESTS",
    [1, 100_000],
    4_096,
    "Requests at once that wait for the end of an execution, of everybody; more are refused with 503."
  ),
  FAIRLEAD_MAX_HELD_REQUESTS_PER_USER: integer(
    "FAIRLEAD_MAX_HELD_REQUESTS_PER_USER",
    [1, 100_000],
    256,
    "The same of one user; 429."
  ),
  FAIRLEAD_MAX_LONG_ANSWERS: integer(
    "FAIRLEAD_MAX_LONG_ANSWERS",
    [1, 10_000],
    32,
    "Results and outputs above 64 KiB that are sent at once, of everybody; more are refused with 503."
  ),
  FAIRLEAD_MAX_LONG_ANSWERS_PER_USER: integer(
    "FAIRLEAD_MAX_LONG_ANSWERS_PER_USER",
    [1, 10_000],
    6,
    "The same of one user; 429."
  ),
  FAIRLEAD_MAX_BODY_MB: integer(
    "FAIRLEAD_MAX_BODY_MB",
    [1, 4_096],
    32,
    "MiB of request bodies above 16 KiB in memory at once, of everybody; more are refused with 503."
  ),
  FAIRLEAD_MAX_BODY_MB_PER_USER: integer("FAIRLEAD_MAX_BODY_MB_PER_USER", [1, 4_096], 2, "The same of one user; 429.")
}
