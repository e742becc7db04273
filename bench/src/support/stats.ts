/** Order statistics of samples in milliseconds. */
export interface Summary {
  readonly count: number
  readonly p50: number
  readonly p90: number
  readonly p95: number
  readonly p99: number
  readonly max: number
  readonly mean: number
}

export const summarize = (samples: ReadonlyArray<number>): Summary => {
  const sorted = [...samples].sort((a, b) => a - b)
  const at = (share: number) => round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)
  const mean = round(samples.reduce((sum, sample) => sum + sample, 0) / Math.max(1, samples.length))
  return {
    count: samples.length,
    p50: at(0.5),
    p90: at(0.9),
    p95: at(0.95),
    p99: at(0.99),
    max: round(sorted.at(-1) ?? 0),
    mean
  }
}

export const median = (samples: ReadonlyArray<number>): number => summarize(samples).p50

export const round = (value: number): number => Math.round(value * 100) / 100
