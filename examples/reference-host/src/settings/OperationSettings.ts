/** Stopping, logs and traces. */
import { choice, integer, optional } from "./Setting.ts"

export const operationSettings = {
  FAIRLEAD_DRAIN_GRACE_SECONDS: integer(
    "FAIRLEAD_DRAIN_GRACE_SECONDS",
    [0, 300],
    3,
    "How long the instance still accepts requests after SIGTERM, saying that it is not ready, until balancers have noticed: longer than they take for that."
  ),
  FAIRLEAD_DRAIN_SECONDS: integer(
    "FAIRLEAD_DRAIN_SECONDS",
    [0, 300],
    15,
    "How long requests in hand may take to finish after that. Scripts go on running; the next start finds them."
  ),
  FAIRLEAD_LOG_LEVEL: choice(
    "FAIRLEAD_LOG_LEVEL",
    ["Debug", "Info", "Warn", "Error"],
    "Info",
    "Least severe lines to log."
  ),
  FAIRLEAD_LOG_FORMAT: choice("FAIRLEAD_LOG_FORMAT", ["text", "json"], "text", "Form of log lines."),
  FAIRLEAD_ENVIRONMENT: choice(
    "FAIRLEAD_ENVIRONMENT",
    ["development", "staging", "production", "test"],
    "production",
    "Written into every event."
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "tracing off",
    "Where to send traces, over OTLP/HTTP as JSON."
  )
}
