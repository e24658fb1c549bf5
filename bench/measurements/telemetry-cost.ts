import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SAMPLE_MODELS } from '../../models/catalogue.ts';
import type { Bench } from '../bench.ts';
import { inferRequest } from '../infer-request.ts';
import { runLoad } from '../load.ts';
import type { ClosedLoop } from '../load-spec.ts';
import { type Measurement, spread, withDigits } from '../measurement.ts';
import { median, sleep } from '../statistics.ts';

const WARMUP_MS = 2_000;
/** What a start makes up for is over: roll-ups of the runs before, a first look at everything. */
const SETTLED_AFTER_MS = 15_000;
/** The smallest model: what telemetry costs is the same for every request, and of no other as large a share. */
const SMALLEST = requestOf('row-sum');
const USUAL = requestOf('ticket-sentiment');
const SATURATED: ClosedLoop = { kind: 'closed', connections: 64 };
const ONE_AFTER_THE_OTHER: ClosedLoop = { kind: 'closed', connections: 1 };

type Side = { readonly perSecond: number; readonly usualPerSecond: number; readonly p50: number };

export const telemetryCost: Measurement = {
  name: 'telemetry',
  summary: 'with telemetry, watching and traces (1 % of requests, to a collector), and without any of it, in turn',
  byDefault: true,
  async run(bench) {
    const collector = await startCollector();
    try {
      const on: Side[] = [];
      const off: Side[] = [];
      for (let pair = 0; pair < (bench.quick ? 2 : 7); pair += 1) {
        const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
        // Who is first in a pair is last in the next: a machine that slows down favours neither.
        const sides = [
          async () => on.push(await measure(bench, { environment })),
          async () => off.push(await measure(bench, { args: ['--without-telemetry'] })),
        ];
        for (const side of pair % 2 === 0 ? sides : sides.reverse()) await side();
        bench.progress(
          `pair ${pair + 1}: ${withDigits(on[pair]!.perSecond, 0)} with, ${withDigits(off[pair]!.perSecond, 0)} /s without`,
        );
      }
      return toRows(on, off);
    } finally {
      collector.stop();
    }
  },
};

function toRows(on: readonly Side[], off: readonly Side[]) {
  const ratios = (of: 'perSecond' | 'usualPerSecond') => on.map((side, at) => side[of] / off[at]![of]);
  const added = on.map((side, at) => side.p50 - off[at]!.p50);
  const [smallest, usual] = [ratios('perSecond'), ratios('usualPerSecond')];
  return [
    {
      what: 'ticket-sentiment, saturated, with telemetry of what it does without',
      budget: 'median ≥ 0.97',
      measured: spread(usual, median(usual), 3),
      met: median(usual) >= 0.97,
      figures: { on, off },
    },
    {
      what: 'the same of row-sum, the smallest model',
      measured: spread(smallest, median(smallest), 3),
      figures: {},
    },
    {
      what: 'p50 of one request after the other, added by telemetry, ms',
      budget: 'median ≤ 0.3',
      measured: spread(added, median(added), 3),
      met: median(added) <= 0.3,
      figures: {},
    },
  ];
}

type Given = { readonly args?: readonly string[]; readonly environment?: Readonly<Record<string, string>> };

function measure(bench: Bench, given: Given): Promise<Side> {
  const durationMs = bench.quick ? 2_000 : 6_000;
  return bench.withPlatform(async (platform) => {
    await sleep(SETTLED_AFTER_MS);
    const load = async (request: typeof SMALLEST, loop: ClosedLoop) => {
      const requests = [inferRequest(request.model, request.inputs, platform.apiKeyOf('acme'))];
      const result = await runLoad({ port: platform.port, requests, loop, warmupMs: WARMUP_MS, durationMs });
      if (result.failed > 0) throw new Error(`${result.failed} requests failed: ${JSON.stringify(result.statuses)}`);
      return result;
    };
    const { perSecond } = await load(SMALLEST, SATURATED);
    const usual = await load(USUAL, SATURATED);
    const { p50 } = await load(USUAL, ONE_AFTER_THE_OTHER);
    return { perSecond, usualPerSecond: usual.perSecond, p50 };
  }, given);
}

function requestOf(model: string) {
  return { model, inputs: SAMPLE_MODELS.find((sample) => sample.name === model)!.example.inputs };
}

/** Takes spans and forgets them. */
async function startCollector(): Promise<{ readonly url: string; stop(): void }> {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop: () => server.close() };
}
