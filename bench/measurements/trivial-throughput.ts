import { SAMPLE_MODELS } from '../../models/catalogue.ts';
import type { Bench } from '../bench.ts';
import { startServer } from '../child.ts';
import { inferRequest } from '../infer-request.ts';
import { type LoadResult, runLoad } from '../load.ts';
import { type Measurement, spread, withDigits } from '../measurement.ts';
import { cpuMs } from '../process-tree.ts';
import { median } from '../statistics.ts';

const BARE_PATH = new URL('../bare-path.ts', import.meta.url);
const CONNECTIONS = 64;
const WARMUP_MS = 2_000;
const INPUTS = SAMPLE_MODELS.find((sample) => sample.name === 'row-sum')!.example.inputs;

/** A load and what the event loop that answered it used for each answer. */
type Run = LoadResult & { readonly gatewayMicros: number };

export const trivialThroughput: Measurement = {
  name: 'trivial',
  summary: 'row-sum through everything (key, quota, validation, fair queue), and through the bare path in turn',
  byDefault: true,
  async run(bench) {
    const durationMs = bench.quick ? 3_000 : 8_000;
    const platforms: Run[] = [];
    const bares: Run[] = [];
    for (let count = 0; count < (bench.quick ? 2 : 5); count += 1) {
      platforms.push(await throughPlatform(bench, durationMs));
      bares.push(await throughBarePath(bench, durationMs));
      bench.progress(
        `pair ${count + 1}: ${withDigits(platforms[count]!.perSecond, 0)} of ${withDigits(bares[count]!.perSecond, 0)} /s`,
      );
    }
    const rates = platforms.map((run) => run.perSecond);
    const ratios = platforms.map((run, at) => run.perSecond / bares[at]!.perSecond);
    const figures = { platform: platforms.map(toFigures), bare: bares.map(toFigures) };
    const micros = median(platforms.map((run) => run.gatewayMicros));
    const generator = median(platforms.map((run) => run.generatorMicros));
    return [
      {
        what: 'row-sum, full path, requests/s',
        budget: 'median ≥ 20,000',
        measured: `${spread(rates, median(rates), 0)}; CPU each: gateway ${micros.toFixed(1)} µs, load generator ${generator.toFixed(1)} µs`,
        met: median(rates) >= 20_000,
        figures,
      },
      {
        what: 'row-sum, full path, of the bare path',
        budget: 'median ≥ 0.85',
        measured: `${spread(ratios, median(ratios), 2)}; bare path ${withDigits(median(bares.map((run) => run.perSecond)), 0)} /s`,
        met: median(ratios) >= 0.85,
        figures: { ratios },
      },
    ];
  },
};

function throughPlatform(bench: Bench, durationMs: number): Promise<Run> {
  return bench.withPlatform((platform) => run(platform.port, platform.pid, durationMs, platform.apiKeyOf('acme')));
}

async function throughBarePath(bench: Bench, durationMs: number): Promise<Run> {
  const server = await startServer(BARE_PATH, [await bench.modelPath('row-sum')]);
  try {
    return await run(server.port, server.pid, durationMs);
  } finally {
    await server.stop();
  }
}

async function run(port: number, pid: number, durationMs: number, apiKey?: string): Promise<Run> {
  const requests = [inferRequest('row-sum', INPUTS, apiKey)];
  const loop = { kind: 'closed', connections: CONNECTIONS } as const;
  const warm = await runLoad({ port, requests, loop, warmupMs: 0, durationMs: WARMUP_MS });
  const before = cpuMs(pid);
  const load = await runLoad({ port, requests, loop, warmupMs: 0, durationMs });
  const failed = warm.failed + load.failed;
  if (failed > 0) throw new Error(`${failed} requests failed: ${JSON.stringify(load.statuses)}`);
  return { ...load, gatewayMicros: ((cpuMs(pid) - before) * 1_000) / load.sent };
}

function toFigures({ perSecond, p50, p99, gatewayMicros, generatorMicros, generatorShare }: Run) {
  return { perSecond, p50Ms: p50, p99Ms: p99, gatewayMicros, generatorMicros, generatorShare };
}
