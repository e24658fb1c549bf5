import { SAMPLE_MODELS } from '../../models/catalogue.ts';
import type { Histogram } from '../histogram.ts';
import { inferRequest } from '../infer-request.ts';
import { runLoad } from '../load.ts';
import type { ClosedLoop, OpenLoop } from '../load-spec.ts';
import { type Measurement, type Row, withDigits } from '../measurement.ts';
import { runRaw } from '../raw-layout.ts';
import { median } from '../statistics.ts';

const MODEL = 'ticket-sentiment';
const INPUTS = SAMPLE_MODELS.find((sample) => sample.name === MODEL)!.example.inputs;
const WARMUP_MS = 2_000;
const ONE_AFTER_THE_OTHER: ClosedLoop = { kind: 'closed', connections: 1 };
/** A system that sleeps between requests: waking it is part of what its users wait for. */
const NOW_AND_THEN: OpenLoop = { kind: 'open', everyMs: 20, each: 1, connections: 4 };

type Quantiles = { readonly p50: number; readonly p99: number };

export const addedLatency: Measurement = {
  name: 'latency',
  summary: 'what the platform adds to a run of ticket-sentiment when nothing else happens',
  byDefault: true,
  async run(bench) {
    const durationMs = bench.quick ? 4_000 : 10_000;
    const bare: Quantiles[] = [];
    const sequential: Quantiles[] = [];
    const sparse: Quantiles[] = [];
    const modelPath = await bench.modelPath(MODEL);
    for (let count = 0; count < (bench.quick ? 1 : 5); count += 1) {
      const layout = { modelPath, processes: 1, threads: 1, batches: [INPUTS] };
      bare.push(quantiles((await runRaw(layout, { durationMs: 2_000, reservedShare: 0 })).runs));
      await bench.withPlatform(async (platform) => {
        const requests = [inferRequest(MODEL, INPUTS, platform.apiKeyOf('acme'))];
        for (const [loop, results] of [
          [ONE_AFTER_THE_OTHER, sequential],
          [NOW_AND_THEN, sparse],
        ] as const) {
          const load = await runLoad({ port: platform.port, requests, loop, warmupMs: WARMUP_MS, durationMs });
          if (load.failed > 0) throw new Error(`${load.failed} requests failed: ${JSON.stringify(load.statuses)}`);
          results.push(load);
        }
      });
    }
    const run = { p50: middle(bare, 'p50'), p99: middle(bare, 'p99') };
    return [
      toRow('added latency, idle, one request after the other', sequential, run, true),
      toRow('added latency, idle, 50 requests/s', sparse, run, false),
    ];
  },
};

function quantiles(histogram: Histogram): Quantiles {
  return { p50: histogram.quantile(0.5), p99: histogram.quantile(0.99) };
}

function middle(runs: readonly Quantiles[], which: keyof Quantiles): number {
  return median(runs.map((run) => run[which]));
}

function toRow(what: string, runs: readonly Quantiles[], bare: Quantiles, judged: boolean): Row {
  const p50 = middle(runs, 'p50') - bare.p50;
  const p99 = middle(runs, 'p99') - bare.p99;
  const measured = `p50 ${withDigits(p50, 2)} ms, p99 ${withDigits(p99, 2)} ms over a run of ${withDigits(bare.p50, 2)} ms`;
  const figures = { runs: runs.map((run) => ({ p50Ms: run.p50, p99Ms: run.p99 })), bareRun: bare };
  return judged
    ? { what, budget: 'p50 ≤ 1 ms, p99 ≤ 3.5 ms', measured, met: p50 <= 1 && p99 <= 3.5, figures }
    : { what, measured, figures };
}
