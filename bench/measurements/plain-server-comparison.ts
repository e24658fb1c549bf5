import { availableParallelism } from 'node:os';
import { SAMPLE_MODELS, type SampleName } from '../../models/catalogue.ts';
import type { GoldenTensor } from '../../models/golden.ts';
import type { Bench } from '../bench.ts';
import { startServer } from '../child.ts';
import { inferRequest } from '../infer-request.ts';
import { type LoadResult, runLoad } from '../load.ts';
import type { ClosedLoop, OpenLoop } from '../load-spec.ts';
import { type Measurement, type Row, withDigits } from '../measurement.ts';
import { median } from '../statistics.ts';
import { encoderRows } from '../tensors.ts';

const PLAIN_SERVER = new URL('../plain-server.ts', import.meta.url);
const SEQUENCE = 32;
const SATURATED: ClosedLoop = { kind: 'closed', connections: 64 };
const WARMUP_MS = 2_000;
/** Of what the plain server reaches: half, which it carries with ease, and a fifth more than it can. */
const OPEN_LOADS = [0.5, 1.2];

type Subject = { readonly port: number; readonly apiKey?: string };
type Compared = { readonly platform: LoadResult[]; readonly plain: LoadResult[] };

export const plainServerComparison: Measurement = {
  name: 'compare',
  summary: 'a plain node:http + onnxruntime-node server on the same model and cores',
  byDefault: true,
  async run(bench) {
    const rows = encoderRows(new Array<number>(64).fill(SEQUENCE));
    const rowSum = SAMPLE_MODELS.find((sample) => sample.name === 'row-sum')!.example.inputs;
    return [
      ...(await compare(bench, 'encoder-l6', rows, OPEN_LOADS)),
      ...(await compare(bench, 'row-sum', [rowSum], [])),
    ];
  },
};

async function compare(
  bench: Bench,
  model: SampleName,
  rows: readonly (readonly GoldenTensor[])[],
  openLoads: readonly number[],
): Promise<Row[]> {
  const durationMs = bench.quick ? 4_000 : 8_000;
  const load = ({ port, apiKey }: Subject, loop: ClosedLoop | OpenLoop) => {
    const requests = rows.map((inputs) => inferRequest(model, inputs, apiKey));
    return runLoad({ port, requests, loop, warmupMs: WARMUP_MS, durationMs });
  };
  const saturated: Compared = { platform: [], plain: [] };
  const open = openLoads.map((): Compared => ({ platform: [], plain: [] }));
  for (let round = 0; round < (bench.quick ? 1 : 3); round += 1) {
    await withPlainServer(bench, model, async (plain) => saturated.plain.push(await load(plain, SATURATED)));
    const loops = openLoads.map((share) => atRate(share * median(saturated.plain.map(({ perSecond }) => perSecond))));
    for (const [at, loop] of loops.entries()) {
      await withPlainServer(bench, model, async (plain) => open[at]!.plain.push(await load(plain, loop)));
    }
    await bench.withPlatform(async (platform) => {
      const subject = { port: platform.port, apiKey: platform.apiKeyOf('acme') };
      saturated.platform.push(await load(subject, SATURATED));
      for (const [at, loop] of loops.entries()) open[at]!.platform.push(await load(subject, loop));
    });
  }
  return [throughputRow(model, saturated), ...open.map((compared, at) => latencyRow(model, openLoads[at]!, compared))];
}

function atRate(perSecond: number): OpenLoop {
  return { kind: 'open', everyMs: 1_000 / perSecond, each: 1, connections: 512 };
}

async function withPlainServer(
  bench: Bench,
  model: SampleName,
  body: (subject: Subject) => Promise<unknown>,
): Promise<void> {
  const server = await startServer(PLAIN_SERVER, [await bench.modelPath(model), String(availableParallelism())]);
  try {
    await body({ port: server.port });
  } finally {
    await server.stop();
  }
}

function throughputRow(model: SampleName, { platform, plain }: Compared): Row {
  const rate = (results: readonly LoadResult[]) => median(results.map(({ perSecond }) => perSecond));
  const ratio = rate(platform) / rate(plain);
  return {
    what: `${model}, saturated, requests/s: Sluice and a plain server`,
    measured: `${withDigits(rate(platform), 0)} and ${withDigits(rate(plain), 0)} (${withDigits(ratio, 2)} ×)`,
    figures: { platform: platform.map(({ perSecond }) => perSecond), plain: plain.map(({ perSecond }) => perSecond) },
  };
}

function latencyRow(model: SampleName, share: number, { platform, plain }: Compared): Row {
  const p99 = (results: readonly LoadResult[]) => median(results.map((result) => result.p99));
  return {
    what: `${model}, open load of ${share} × what the plain server reaches, p99: Sluice and the plain server`,
    measured: `${withDigits(p99(platform), 1)} ms and ${withDigits(p99(plain), 1)} ms`,
    figures: { platform: platform.map(toFigures), plain: plain.map(toFigures) },
  };
}

function toFigures({ p50, p99, perSecond, statuses, failed }: LoadResult) {
  return { p50Ms: p50, p99Ms: p99, perSecond, statuses, failed };
}
