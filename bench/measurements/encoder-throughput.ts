import { availableParallelism } from 'node:os';
import { tokenBatch } from '../../models/encoder-l6.ts';
import type { Bench } from '../bench.ts';
import { inferRequest } from '../infer-request.ts';
import { type LoadResult, runLoad } from '../load.ts';
import { type Measurement, type Row, spread, withDigits } from '../measurement.ts';
import { layoutsOver, type RawLayout, runRaw } from '../raw-layout.ts';
import { median } from '../statistics.ts';
import { encoderRows } from '../tensors.ts';

const SEQUENCE = 32;
const BATCHES = [4, 8, 16];
/** Two full batches of 32 rows run and as many wait: more in flight only wait longer. */
const CONNECTIONS = 128;
const WARMUP_MS = 4_000;

type Pair = { readonly ratio: number; readonly platform: number; readonly raw: number; readonly load: LoadResult };

export const encoderThroughput: Measurement = {
  name: 'encoder',
  summary: 'encoder-l6 at sequence 32, saturated, against onnxruntime alone at its best batch size',
  byDefault: true,
  async run(bench) {
    const durationMs = bench.quick ? 4_000 : 10_000;
    const best = await bestLayout(bench);
    const pairs: Pair[] = [];
    let reservedShare = 0;
    for (let count = 0; count < (bench.quick ? 2 : 7); count += 1) {
      // Turns swap, so that a machine that slows down over time favours neither side. The first knows the generator's share.
      const rawFirst = count % 2 === 1;
      const early = rawFirst ? await runRaw(best, { durationMs, reservedShare }) : undefined;
      const load = await saturate(bench, durationMs);
      reservedShare = load.generatorShare;
      const { rowsPerSecond: raw } = early ?? (await runRaw(best, { durationMs, reservedShare }));
      pairs.push({ ratio: load.perSecond / raw, platform: load.perSecond, raw, load });
      bench.progress(`pair ${count + 1}: ${load.perSecond.toFixed(0)} of ${raw.toFixed(0)} rows/s`);
    }
    return [toRow(best, pairs)];
  },
};

async function saturate(bench: Bench, durationMs: number): Promise<LoadResult> {
  return bench.withPlatform(async (platform) => {
    const rows = encoderRows(new Array<number>(CONNECTIONS).fill(SEQUENCE));
    const requests = rows.map((inputs) => inferRequest('encoder-l6', inputs, platform.apiKeyOf('acme')));
    const loop = { kind: 'closed', connections: CONNECTIONS } as const;
    const load = await runLoad({ port: platform.port, requests, loop, warmupMs: WARMUP_MS, durationMs });
    if (load.failed > 0) throw new Error(`${load.failed} requests failed: ${JSON.stringify(load.statuses)}`);
    return load;
  });
}

/** Of batch sizes and layouts over the cores, the one with the best median of short runs in turn. */
async function bestLayout(bench: Bench): Promise<RawLayout & { readonly batch: number }> {
  const modelPath = await bench.modelPath('encoder-l6');
  const candidates = layoutsOver(availableParallelism()).flatMap((layout) =>
    BATCHES.map((batch) => {
      const batches = [tokenBatch(new Array<number>(batch).fill(SEQUENCE))];
      return { modelPath, ...layout, batches, batch, rates: [] as number[] };
    }),
  );
  for (let round = 0; round < (bench.quick ? 1 : 3); round += 1) {
    for (const candidate of candidates) {
      const { rowsPerSecond } = await runRaw(candidate, { durationMs: 2_000, reservedShare: 0 });
      candidate.rates.push(rowsPerSecond);
    }
  }
  const best = candidates.reduce((a, b) => (median(b.rates) > median(a.rates) ? b : a));
  bench.progress(`onnxruntime alone is best with ${describe(best)}: ${median(best.rates).toFixed(0)} rows/s`);
  return best;
}

function describe({ processes, threads, batch }: RawLayout & { readonly batch: number }): string {
  return `batch ${batch} in ${processes} process${processes === 1 ? '' : 'es'} of ${threads} thread${threads === 1 ? '' : 's'}`;
}

function toRow(best: RawLayout & { readonly batch: number }, pairs: readonly Pair[]): Row {
  const ratios = pairs.map((pair) => pair.ratio);
  const middle = median(ratios);
  const platform = withDigits(median(pairs.map((pair) => pair.platform)), 0);
  const raw = withDigits(median(pairs.map((pair) => pair.raw)), 0);
  return {
    what: 'encoder-l6, sequence 32, saturated, of onnxruntime alone',
    budget: 'median ≥ 0.92, none < 0.90',
    measured: `${spread(ratios, middle, 3)}; ${platform} of ${raw} rows/s`,
    met: middle >= 0.92 && Math.min(...ratios) >= 0.9,
    figures: {
      rawLayout: describe(best),
      pairs: pairs.map(({ ratio, platform: perSecond, raw: rawPerSecond, load }) => ({
        ratio,
        platformRowsPerSecond: perSecond,
        rawRowsPerSecond: rawPerSecond,
        p50Ms: load.p50,
        p99Ms: load.p99,
        generatorShareOfOneCore: load.generatorShare,
      })),
    },
  };
}
