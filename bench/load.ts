import { runScript } from './child.ts';
import { Histogram } from './histogram.ts';
import type { LoadReport, LoadSpec, TracedRequest } from './load-spec.ts';

/** What a load run found. Times are milliseconds, of answers with status 2xx. */
export type LoadResult = {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly latency: Histogram;
  /** By HTTP status; `unanswered` and `broken` (connections) where there were any. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Requests of the counted window that were not answered 2xx, those never answered among them. */
  readonly failed: number;
  /** Requests of the counted window. */
  readonly sent: number;
  /** CPU of the generator, as a share of one core and for each answer. */
  readonly generatorShare: number;
  readonly generatorMicros: number;
  readonly trace: readonly TracedRequest[];
};

const GENERATOR = new URL('./load-generator.ts', import.meta.url);
const MOST_SECONDS = 900;
/** Connecting and the last answers come on top of the load itself. */
const GRACE_MS = 60_000;

/** Runs the load generator in a process of its own against 127.0.0.1. */
export async function runLoad(spec: LoadSpec): Promise<LoadResult> {
  const totalMs = spec.warmupMs + spec.durationMs;
  if (totalMs > MOST_SECONDS * 1_000) throw new Error(`load of more than ${MOST_SECONDS} s`);
  const report = await runScript<LoadReport>(GENERATOR, spec, totalMs + GRACE_MS);
  const latency = new Histogram(report.latency);
  const counted = Object.values(report.statuses).reduce((total, count) => total + count, 0);
  return {
    perSecond: (report.answered * 1_000) / report.windowMs,
    p50: latency.quantile(0.5),
    p99: latency.quantile(0.99),
    latency,
    statuses: {
      ...report.statuses,
      ...(report.unanswered > 0 ? { unanswered: report.unanswered } : {}),
      ...(report.broken > 0 ? { broken: report.broken } : {}),
    },
    failed: counted - latency.total() + report.unanswered + report.broken,
    sent: counted + report.unanswered,
    generatorShare: report.cpuMs / report.windowMs,
    generatorMicros: (report.cpuMs * 1_000) / Math.max(1, report.answered),
    trace: report.trace,
  };
}
