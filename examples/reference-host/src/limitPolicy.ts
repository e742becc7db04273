/** What executions get and may ask for, as the settings have it. */
import { defaultLimitPolicy, type ExecutionLimitPolicy } from "@fairlead/core/executions/ExecutionLimits"
import type { HostConfig } from "./HostConfig.ts"

const mebibyte = 1024 ** 2

/** A default is never more than the maximum: who names no limit would be refused. */
export const limitPolicy = (config: HostConfig): ExecutionLimitPolicy => {
  const maxima = {
    ...defaultLimitPolicy.maxima,
    timeoutMillis: config.FAIRLEAD_MAX_TIMEOUT_SECONDS * 1000,
    memoryBytes: config.FAIRLEAD_MAX_MEMORY_MB * mebibyte,
    processes: config.FAIRLEAD_MAX_PROCESSES,
    diskBytes: config.FAIRLEAD_MAX_DISK_MB * mebibyte,
    fileSizeBytes: config.FAIRLEAD_MAX_FILE_SIZE_MB * mebibyte,
    openFiles: config.FAIRLEAD_MAX_OPEN_FILES
  }
  return {
    maxima,
    defaults: {
      ...defaultLimitPolicy.defaults,
      timeoutMillis: Math.min(config.FAIRLEAD_DEFAULT_TIMEOUT_SECONDS * 1000, maxima.timeoutMillis),
      memoryBytes: Math.min(config.FAIRLEAD_DEFAULT_MEMORY_MB * mebibyte, maxima.memoryBytes),
      processes: Math.min(config.FAIRLEAD_DEFAULT_PROCESSES, maxima.processes),
      diskBytes: Math.min(config.FAIRLEAD_DEFAULT_DISK_MB * mebibyte, maxima.diskBytes),
      fileSizeBytes: Math.min(config.FAIRLEAD_DEFAULT_FILE_SIZE_MB * mebibyte, maxima.fileSizeBytes),
      openFiles: Math.min(config.FAIRLEAD_DEFAULT_OPEN_FILES, maxima.openFiles)
    }
  }
}
