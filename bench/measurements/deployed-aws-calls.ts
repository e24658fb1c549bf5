import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SAMPLE_MODELS } from '../../models/catalogue.ts';
import type { Bench } from '../bench.ts';
import { type Deployment, withDeployment } from '../deployed/deployment.ts';
import { PRICES_DATE } from '../deployed/prices.ts';
import { BY_TIME, type ServiceCall } from '../deployed/service-call.ts';
import { inferRequest } from '../infer-request.ts';
import type { LoadRequest } from '../load-spec.ts';
import { type Measurement, type Row, withDigits } from '../measurement.ts';
import { median, sleep, sum } from '../statistics.ts';

const MODEL = 'row-sum';
const CACHED_MODEL = 'ticket-cached';
const CALLERS = 64;
/** Longer than what a process knows of tenants and routes stays fresh: a second. */
const IDLE_EVERY_MS = 1_200;
const MILLION = 1_000_000;

/** What was called for `requests` requests in `seconds`. */
type Tally = {
  readonly what: string;
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms?: number;
  readonly calls: readonly ServiceCall[];
};

export const awsCalls: Measurement = {
  name: 'aws-calls',
  summary: 'calls of AWS for a request, by what they are for, and their price, of the deployed form on emulators',
  byDefault: true,
  async run(bench) {
    const processes = bench.quick ? CALLERS / 4 : CALLERS;
    const models = [MODEL, cachedModel(await bench.modelPath('ticket-sentiment'))] as const;
    return withDeployment({ models, processes }, async (deployment) => {
      const tallies = await measure(bench, deployment);
      return [...tallies.map((tally) => toRow(tally)), table(tallies, processes)];
    });
  },
};

async function measure(bench: Bench, deployment: Deployment): Promise<readonly Tally[]> {
  const count = bench.quick ? 5 : 10;
  const sync = requestOf(MODEL, deployment);
  const cached = requestOf(CACHED_MODEL, deployment);
  const async_ = { ...sync, headers: { ...sync.headers, Prefer: 'respond-async' } };
  await oneByOne(deployment, 'warm-up', 2, () => ask(deployment, sync, 200));
  await oneByOne(deployment, 'warm-up', 2, () => ask(deployment, cached, 200));
  const one = await oneByOne(deployment, 'sync, idle', count, () => ask(deployment, sync, 200));
  const late = await oneByOne(deployment, 'async and its result, idle', Math.ceil(count / 2), () =>
    askLater(deployment, async_),
  );
  const hit = await oneByOne(deployment, 'cached, idle', Math.ceil(count / 2), () => ask(deployment, cached, 200));
  await load(deployment, 'warm-up', sync, bench.quick ? 1_000 : 3_000);
  const many = await load(deployment, `sync, ${CALLERS} callers`, sync, bench.quick ? 3_000 : 8_000);
  const hits = await load(deployment, `cached, ${CALLERS} callers`, cached, 2_000);
  return [one, many, late, hit, hits];
}

async function oneByOne(
  { recorder }: Deployment,
  what: string,
  requests: number,
  askOnce: () => Promise<void>,
): Promise<Tally> {
  recorder.take();
  const startMs = performance.now();
  for (let at = 1; at <= requests; at += 1) {
    await askOnce();
    await sleep(startMs + at * IDLE_EVERY_MS - performance.now());
  }
  return { what, requests, seconds: (performance.now() - startMs) / 1_000, calls: recorder.take() };
}

/** As many callers, each asking again as soon as it is answered. */
async function load(deployment: Deployment, what: string, request: LoadRequest, durationMs: number): Promise<Tally> {
  deployment.recorder.take();
  const startMs = performance.now();
  const takenMs: number[] = [];
  const caller = async () => {
    while (performance.now() < startMs + durationMs) {
      const askedMs = performance.now();
      await ask(deployment, request, 200);
      takenMs.push(performance.now() - askedMs);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  const seconds = (performance.now() - startMs) / 1_000;
  // Deletions are collected for a moment, and the last requests are settled after their answers.
  await sleep(500);
  const calls = deployment.recorder.take();
  return { what, requests: takenMs.length, seconds, p50Ms: median(takenMs), calls };
}

function requestOf(model: string, { apiKey }: Deployment): LoadRequest {
  const sample = SAMPLE_MODELS.find(({ name }) => name === (model === CACHED_MODEL ? 'ticket-sentiment' : model));
  return inferRequest(model, sample!.example.inputs, apiKey);
}

async function ask(
  { gateway }: Deployment,
  { method, path, headers, body }: LoadRequest,
  expected: number,
): Promise<void> {
  const answer = await fetch(`${gateway.url}${path}`, { method, headers, body });
  const text = await answer.text();
  if (answer.status !== expected) throw new Error(`answered ${answer.status}: ${text}`);
}

/** Accepted, then asked for until it is there. */
async function askLater(
  { gateway }: Deployment,
  { method, path, headers: { Authorization, ...headers }, body }: LoadRequest,
): Promise<void> {
  const authorization = { Authorization: Authorization! };
  const accepted = await fetch(`${gateway.url}${path}`, { method, headers: { ...headers, ...authorization }, body });
  await accepted.text();
  const location = accepted.headers.get('location');
  if (accepted.status !== 202 || location === null) throw new Error(`answered ${accepted.status}`);
  const result = await fetch(new URL(location, gateway.url), { headers: { ...authorization, Prefer: 'wait=10' } });
  await result.text();
  if (result.status !== 200) throw new Error(`its result was answered ${result.status}`);
}

/** ticket-sentiment under another name, with a cache. */
function cachedModel(modelPath: string) {
  const folder = join(modelPath, '..');
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as { readonly name: string };
  return {
    model: readFileSync(modelPath),
    manifest: { ...manifest, name: CACHED_MODEL, cache: { seconds: 3600 } },
    golden: readFileSync(join(folder, 'golden.jsonl'), 'utf8'),
  };
}

function toRow({ what, requests, seconds, p50Ms, calls }: Tally): Row {
  const asked = calls.filter(({ kind }) => !BY_TIME.has(kind));
  const perRequest = calls.length / requests;
  const usd = (sum(asked.map((call) => call.usd)) / requests) * MILLION;
  const usdByTime = (sum(calls.map((call) => call.usd)) / requests) * MILLION - usd;
  return {
    what: `AWS calls: ${what}`,
    measured: `${withDigits(asked.length / requests, 2)} a request, $${withDigits(usd, 2)} a million; with those by time ${withDigits(perRequest, 2)}, $${withDigits(usd + usdByTime, 2)} at ${withDigits(requests / seconds, 1)} /s`,
    figures: {
      requests,
      seconds,
      p50Ms,
      callsPerRequest: perRequest,
      usdPerMillion: usd,
      usdPerMillionByTime: usdByTime,
    },
  };
}

/** By kind, in the order of what they cost. */
function table(tallies: readonly Tally[], processes: number): Row {
  const kinds = [
    ...new Set(
      tallies.flatMap(({ calls }) =>
        calls.map(({ caller, kind }) => `${caller === 'worker' ? 'worker' : 'handler'}: ${kind}`),
      ),
    ),
  ];
  const rows = kinds.map((name) => {
    const cells = tallies.map(({ calls, requests }) => {
      const [caller, kind] = name.split(': ') as [string, string];
      const same = calls.filter((call) => call.kind === kind && (call.caller === 'worker') === (caller === 'worker'));
      return { perRequest: same.length / requests, usd: (sum(same.map(({ usd }) => usd)) / requests) * MILLION };
    });
    return { name, cells };
  });
  rows.sort((a, b) => b.cells[1]!.usd - a.cells[1]!.usd || b.cells[0]!.usd - a.cells[0]!.usd);
  const show = ({ perRequest, usd }: { perRequest: number; usd: number }) =>
    perRequest === 0 ? '' : `${withDigits(perRequest, 2)}  $${withDigits(usd, 2)}`;
  return {
    what: 'AWS calls a request by kind',
    measured: `below; ${processes} processes of infer, one worker; us-east-1 of ${PRICES_DATE}`,
    figures: {
      kinds: Object.fromEntries(rows.map(({ name, cells }) => [name, cells])),
      of: tallies.map(({ what }) => what),
    },
    table: {
      head: ['calls a request, and $ a million requests', ...tallies.map(({ what }) => what)],
      rows: rows.map(({ name, cells }) => [
        BY_TIME.has(name.split(': ')[1]!) ? `${name} (by time)` : name,
        ...cells.map(show),
      ]),
    },
  };
}
