/** Logs in the form that was asked for; traces only when there is somewhere to send them, because a span costs time. */
import { version } from "@fairlead/http/api/Version"
import { Layer, Logger, Option, References } from "effect"
import { FetchHttpClient } from "effect/http"
import { OtlpSerialization, OtlpTracer } from "effect/observability"
import type { HostConfig } from "./HostConfig.ts"

export const layer = (config: HostConfig) =>
  Layer.mergeAll(
    Logger.layer([config.FAIRLEAD_LOG_FORMAT === "json" ? Logger.consoleJson : Logger.consolePretty()]),
    Layer.succeed(References.MinimumLogLevel, config.FAIRLEAD_LOG_LEVEL),
    Option.match(config.OTEL_EXPORTER_OTLP_ENDPOINT, {
      onNone: () => Layer.succeed(References.TracerEnabled, false),
      onSome: tracing
    })
  )

const tracing = (endpoint: string) =>
  OtlpTracer.layer({
    url: `${endpoint.replace(/\/$/, "")}/v1/traces`,
    resource: { serviceName: "fairlead", serviceVersion: version }
  }).pipe(Layer.provide(OtlpSerialization.layerJson), Layer.provide(FetchHttpClient.layer))
