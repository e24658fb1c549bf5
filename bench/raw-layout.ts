import type { GoldenTensor } from '../models/golden.ts';
import { runScript } from './child.ts';
import type { BurnSpec } from './cpu-burner.ts';
import { Histogram } from './histogram.ts';
import type { RawReport, RawSpec } from './raw-onnx.ts';
import { epochMs, sum } from './statistics.ts';

/** How raw onnxruntime is spread over the cores. */
export type RawLayout = {
  readonly modelPath: string;
  readonly processes: number;
  readonly threads: number;
  readonly batches: readonly (readonly GoldenTensor[])[];
};

export type RawWindow = {
  readonly durationMs: number;
  /** Share of a core that a burner takes meanwhile: the load generator's part of the platform's run. */
  readonly reservedShare: number;
};

const RAW = new URL('./raw-onnx.ts', import.meta.url);
const BURNER = new URL('./cpu-burner.ts', import.meta.url);
/** Starting a process, loading 60 MB and the first runs: measured 0.6 s. */
const WARMUP_MS = 2_000;
const GRACE_MS = 30_000;

/** Fresh processes of raw onnxruntime in a common window. */
export async function runRaw(
  layout: RawLayout,
  window: RawWindow,
): Promise<{ rowsPerSecond: number; runs: Histogram }> {
  const startAtMs = epochMs() + WARMUP_MS;
  const endAtMs = startAtMs + window.durationMs;
  const { modelPath, threads, batches } = layout;
  const spec: RawSpec = { modelPath, threads, batches, startAtMs, endAtMs };
  const timeoutMs = endAtMs - epochMs() + GRACE_MS;
  const burn: BurnSpec = { share: window.reservedShare, endAtMs };
  const burner = burn.share > 0 ? runScript(BURNER, burn, timeoutMs) : undefined;
  const processes = Array.from({ length: layout.processes }, () => runScript<RawReport>(RAW, spec, timeoutMs));
  const reports = await Promise.all(processes);
  await burner;
  const runs = new Histogram();
  for (const report of reports) runs.add(new Histogram(report.runs));
  return { rowsPerSecond: sum(reports.map((report) => report.rowsPerSecond)), runs };
}

/** The layouts that use all of `cores`: one process with a thread for each, or a process each with one. */
export function layoutsOver(cores: number): { processes: number; threads: number }[] {
  return cores === 1
    ? [{ processes: 1, threads: 1 }]
    : [
        { processes: 1, threads: cores },
        { processes: cores, threads: 1 },
      ];
}
