import { availableParallelism } from 'node:os';
import { seededRandom } from '../../core/seeded-random.ts';
import type { Bench } from '../bench.ts';
import { inferRequest } from '../infer-request.ts';
import { type LoadResult, runLoad } from '../load.ts';
import { type Measurement, spread, withDigits } from '../measurement.ts';
import { layoutsOver, runRaw } from '../raw-layout.ts';
import { median } from '../statistics.ts';
import { encoderRows } from '../tensors.ts';

const SHORTEST = 8;
const LONGEST = 128;
/** Of the logarithm: half of the lengths are under 32, one in six over 64, as in texts that people type. */
const MEDIAN_LENGTH = 32;
const SPREAD = 0.7;
const SEED = 5;
const ROWS = 512;
const CONNECTIONS = 128;
const WARMUP_MS = 5_000;

export const mixedLengths: Measurement = {
  name: 'mixed',
  summary: 'encoder-l6 at log-normal lengths of 8 to 128, against onnxruntime one by one',
  byDefault: true,
  async run(bench) {
    const durationMs = bench.quick ? 5_000 : 10_000;
    const lengths = logNormalLengths();
    const layouts = await oneByOne(bench, lengths);
    const ratios: number[] = [];
    const platforms: number[] = [];
    for (let count = 0; count < (bench.quick ? 1 : 5); count += 1) {
      const load = await saturate(bench, lengths, durationMs);
      const reservedShare = load.generatorShare;
      const raws: number[] = [];
      for (const layout of layouts) raws.push((await runRaw(layout, { durationMs, reservedShare })).rowsPerSecond);
      ratios.push(load.perSecond / Math.max(...raws));
      platforms.push(load.perSecond);
      bench.progress(`pair ${count + 1}: ${load.perSecond.toFixed(0)} of ${Math.max(...raws).toFixed(0)} rows/s`);
    }
    const middle = median(ratios);
    return [
      {
        what: 'encoder-l6, mixed lengths, times onnxruntime one by one',
        budget: 'median ≥ 1.2',
        measured: `${spread(ratios, middle, 2)}; ${withDigits(median(platforms), 0)} rows/s`,
        met: middle >= 1.2,
        figures: { ratios, platformRowsPerSecond: platforms, meanLength: median(lengths) },
      },
    ];
  },
};

function logNormalLengths(): number[] {
  const random = seededRandom(SEED);
  return Array.from({ length: ROWS }, () => {
    // Box and Muller: two uniform numbers make one normal one.
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const length = Math.round(MEDIAN_LENGTH * Math.exp(SPREAD * normal));
    return Math.min(LONGEST, Math.max(SHORTEST, length));
  });
}

async function oneByOne(bench: Bench, lengths: readonly number[]) {
  const modelPath = await bench.modelPath('encoder-l6');
  const batches = encoderRows(lengths);
  return layoutsOver(availableParallelism()).map((layout) => ({ ...layout, modelPath, batches }));
}

async function saturate(bench: Bench, lengths: readonly number[], durationMs: number): Promise<LoadResult> {
  return bench.withPlatform(async (platform) => {
    const key = platform.apiKeyOf('acme');
    const requests = encoderRows(lengths).map((inputs) => inferRequest('encoder-l6', inputs, key));
    const loop = { kind: 'closed', connections: CONNECTIONS } as const;
    const load = await runLoad({ port: platform.port, requests, loop, warmupMs: WARMUP_MS, durationMs });
    if (load.failed > 0) throw new Error(`${load.failed} requests failed: ${JSON.stringify(load.statuses)}`);
    return load;
  });
}
