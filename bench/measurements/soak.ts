import { MIB } from '../../core/units.ts';
import { SAMPLE_MODELS, type SampleName } from '../../models/catalogue.ts';
import type { Bench } from '../bench.ts';
import { inferRequest } from '../infer-request.ts';
import { type LoadResult, runLoad } from '../load.ts';
import { type Measurement, type Row, withDigits } from '../measurement.ts';
import type { PlatformProcess } from '../platform-process.ts';
import { memoryBytes, processTree } from '../process-tree.ts';
import { median, sleep, sum } from '../statistics.ts';

/** About half of what two cores can do, over all samples. */
const LOADS: readonly { readonly model: SampleName; readonly everyMs: number; readonly each: number }[] = [
  { model: 'row-sum', everyMs: 1, each: 2 },
  { model: 'ticket-sentiment', everyMs: 2, each: 1 },
  { model: 'encoder-l6', everyMs: 5, each: 1 },
];
const SAMPLE_EVERY_MS = 2_000;
const MOST_GROWTH = 0.05;

export const soak: Measurement = {
  name: 'soak',
  summary: '10 minutes of mixed load (one with --quick): growth of memory, and errors',
  byDefault: false,
  run: (bench) => bench.withPlatform((platform) => measure(bench, platform)),
};

async function measure(bench: Bench, platform: PlatformProcess): Promise<Row[]> {
  const durationMs = bench.quick ? 60_000 : 600_000;
  const loads = Promise.all(LOADS.map((each) => load(platform, each, durationMs)));
  const megabytes: number[] = [];
  const mainMegabytes: number[] = [];
  for (let atMs = 0; atMs < durationMs; atMs += SAMPLE_EVERY_MS) {
    await sleep(SAMPLE_EVERY_MS);
    megabytes.push(memoryBytes(processTree(platform.pid)) / MIB);
    mainMegabytes.push(memoryBytes([platform.pid]) / MIB);
    if (megabytes.length % 15 === 0) {
      bench.progress(
        `${withDigits(megabytes.at(-1)!, 0)} MB, ${withDigits(mainMegabytes.at(-1)!, 0)} of the main process`,
      );
    }
  }
  const results = await loads;
  const failed = sum(results.map((result) => result.failed));
  // The first third warms up: code is compiled and heaps find their size.
  const third = Math.floor(megabytes.length / 3);
  const before = median(megabytes.slice(third, 2 * third));
  const after = median(megabytes.slice(2 * third));
  const growth = after / before - 1;
  return [
    {
      what: `memory growth over ${durationMs / 60_000} min of mixed load, last third over the middle`,
      budget: `≤ ${MOST_GROWTH * 100} %, no errors`,
      measured: `${withDigits(growth * 100, 1)} % (${withDigits(before, 0)} to ${withDigits(after, 0)} MB), ${failed} failed of ${withDigits(sum(results.map((result) => result.sent)), 0)}`,
      met: growth <= MOST_GROWTH && failed === 0,
      figures: {
        megabytes,
        mainMegabytes,
        statuses: results.map((result) => result.statuses),
        p99Ms: results.map(({ p99 }) => p99),
      },
    },
  ];
}

function load(
  platform: PlatformProcess,
  { model, everyMs, each }: (typeof LOADS)[number],
  durationMs: number,
): Promise<LoadResult> {
  const { inputs } = SAMPLE_MODELS.find((sample) => sample.name === model)!.example;
  const requests = [inferRequest(model, inputs, platform.apiKeyOf('acme'))];
  const loop = { kind: 'open', everyMs, each, connections: 64 } as const;
  return runLoad({ port: platform.port, requests, loop, warmupMs: 0, durationMs });
}
