import { setPriority } from 'node:os';
import { text } from 'node:stream/consumers';
import { InferenceSession } from 'onnxruntime-node';
import type { GoldenTensor } from '../models/golden.ts';
import { Histogram } from './histogram.ts';
import { epochMs } from './statistics.ts';
import { toFeeds } from './tensors.ts';

/** One process of raw onnxruntime. All that run together start and end their windows at one moment of the wall clock. */
export type RawSpec = {
  readonly modelPath: string;
  readonly threads: number;
  /** Inputs of each run, in turn, over and over. The first dimension counts as rows. */
  readonly batches: readonly (readonly GoldenTensor[])[];
  readonly startAtMs: number;
  readonly endAtMs: number;
};

export type RawReport = {
  readonly rowsPerSecond: number;
  readonly cpuMs: number;
  /** Counts of run times in the buckets of `Histogram`. */
  readonly runs: readonly number[];
};

/** As runners are (gpu-worker/runner.ts): what else runs on this machine takes as much from both. */
const NICE = 10;

async function measure(spec: RawSpec): Promise<RawReport> {
  const session = await InferenceSession.create(spec.modelPath, {
    intraOpNumThreads: spec.threads,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
  });
  const feeds = spec.batches.map(toFeeds);
  const rowsOf = spec.batches.map((inputs) => inputs[0]!.shape[0]!);
  let at = 0;
  const next = async () => {
    at = at + 1 < feeds.length ? at + 1 : 0;
    await session.run(feeds[at]!);
    return rowsOf[at]!;
  };
  while (epochMs() < spec.startAtMs) await next();
  const cpuBefore = process.cpuUsage();
  const firstMs = epochMs();
  const runs = new Histogram();
  let rows = 0;
  let lastMs = firstMs;
  while (lastMs < spec.endAtMs) {
    rows += await next();
    const nowMs = epochMs();
    runs.record(nowMs - lastMs);
    lastMs = nowMs;
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  return { rowsPerSecond: (rows * 1_000) / (lastMs - firstMs), cpuMs: (user + system) / 1_000, runs: [...runs.counts] };
}

setPriority(NICE);
const report = await measure(JSON.parse(await text(process.stdin)) as RawSpec);
process.stdout.write(JSON.stringify(report), () => process.exit(0));
