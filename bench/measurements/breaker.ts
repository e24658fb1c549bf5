import type { Bench } from '../bench.ts';
import { failingModel, lookupInputs, OUTSIDE } from '../failing-model.ts';
import { inferRequest } from '../infer-request.ts';
import { runLoad } from '../load.ts';
import type { ClosedLoop } from '../load-spec.ts';
import { type Measurement, type Row, withDigits } from '../measurement.ts';
import type { PlatformProcess } from '../platform-process.ts';
import { median, sleep } from '../statistics.ts';

const REFUSED = 'bench-failing';
const ANSWERED = 'bench-failing-guarded';
/** More than it takes to open; they are sent one after the other. */
const FAILURES = 10;
/** A report a tenth of a second, and what a gateway reads is up to 50 ms old. */
const REPORTED_AFTER_MS = 500;
const ONE_AFTER_THE_OTHER: ClosedLoop = { kind: 'closed', connections: 1 };
const WARMUP_MS = 2_000;

type Quantiles = { readonly p50: number; readonly p99: number };

export const breaker: Measurement = {
  name: 'breaker',
  summary: 'how soon an answer comes while the circuit breaker of a version is open',
  byDefault: true,
  run: (bench) => bench.withPlatform((platform) => measure(bench, platform)),
};

async function measure(bench: Bench, platform: PlatformProcess): Promise<Row[]> {
  await platform.push(await failingModel(bench.workFolder, REFUSED));
  await platform.push(await failingModel(bench.workFolder, ANSWERED, { fallback: { outputs: { y: [0] } } }));
  const refused: Quantiles[] = [];
  const answered: Quantiles[] = [];
  for (const model of [REFUSED, ANSWERED]) await open(platform, model);
  for (let count = 0; count < (bench.quick ? 1 : 5); count += 1) {
    refused.push(await latencyOf(bench, platform, REFUSED, 503));
    answered.push(await latencyOf(bench, platform, ANSWERED, 200));
  }
  return [
    toRow('answer while the breaker is open: 503, one request after the other', refused),
    toRow('the same with a fixed fallback: 200', answered),
  ];
}

async function open(platform: PlatformProcess, model: string): Promise<void> {
  for (let count = 0; count < FAILURES; count += 1) await ask(platform, model);
  await sleep(REPORTED_AFTER_MS);
}

async function ask(platform: PlatformProcess, model: string): Promise<void> {
  const { method, path, headers, body } = inferRequest(model, lookupInputs(OUTSIDE), platform.apiKeyOf('acme'));
  const answer = await fetch(`http://127.0.0.1:${platform.port}${path}`, { method, headers, body });
  await answer.arrayBuffer();
}

async function latencyOf(bench: Bench, platform: PlatformProcess, model: string, status: number): Promise<Quantiles> {
  const load = await runLoad({
    port: platform.port,
    requests: [inferRequest(model, lookupInputs(0), platform.apiKeyOf('acme'))],
    loop: ONE_AFTER_THE_OTHER,
    warmupMs: WARMUP_MS,
    durationMs: bench.quick ? 2_000 : 5_000,
    trace: true,
  });
  const others = load.trace.filter((request) => request.status !== status).length;
  if (others > 0 || load.trace.length === 0) throw new Error(`not all ${status}: ${JSON.stringify(load.statuses)}`);
  const sorted = load.trace.map(({ sentMs, answeredMs }) => answeredMs - sentMs).toSorted((a, b) => a - b);
  const quantile = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!;
  return { p50: quantile(0.5), p99: quantile(0.99) };
}

function toRow(what: string, runs: readonly Quantiles[]): Row {
  const p50 = median(runs.map((run) => run.p50));
  const p99 = median(runs.map((run) => run.p99));
  return {
    what,
    budget: 'p99 ≤ 1 ms',
    measured: `p50 ${withDigits(p50, 2)} ms, p99 ${withDigits(p99, 2)} ms`,
    met: p99 <= 1,
    figures: { runs },
  };
}
