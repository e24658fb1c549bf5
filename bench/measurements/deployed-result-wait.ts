import { tokenBatch } from '../../models/encoder-l6.ts';
import { type Deployment, withDeployment } from '../deployed/deployment.ts';
import type { ServiceCall } from '../deployed/service-call.ts';
import { inferRequest } from '../infer-request.ts';
import { type Measurement, spread, withDigits } from '../measurement.ts';
import { median, sleep } from '../statistics.ts';

const MODEL = 'encoder-l6';
const SEQUENCE = 32;
const TARGET_MS = 50;
const BUDGET_MS = 40;
const MOST_ROWS = 64;

/** One request: its run as its worker saw it, from its end to the answer, and the whole. Milliseconds. */
type Sample = { readonly runMs: number; readonly waitMs: number; readonly totalMs: number; readonly reads: number };

export const resultWait: Measurement = {
  name: 'result-wait',
  summary: `from the end of a run of ${TARGET_MS} ms in the worker to the answer at the caller, deployed form on emulators, idle`,
  byDefault: true,
  async run(bench) {
    return withDeployment({ models: [MODEL], processes: 1, runners: 1 }, async (deployment) => {
      const rows = await rowsOf(deployment, TARGET_MS);
      const samples: Sample[] = [];
      for (let count = 0; count < (bench.quick ? 20 : 80); count += 1) {
        samples.push(await ask(deployment, rows));
        // Not in step with whatever else is done every so many milliseconds.
        await sleep(Math.random() * 60);
      }
      const [run, wait, total, reads] = (['runMs', 'waitMs', 'totalMs', 'reads'] as const).map((name) =>
        samples.map((sample) => sample[name]),
      ) as [number[], number[], number[], number[]];
      const waitP50 = median(wait);
      return [
        {
          what: `waiting for a result beyond a run of ${withDigits(median(run), 0)} ms`,
          budget: `p50 ≤ ${BUDGET_MS} ms`,
          measured: `p50 ${spread(wait, waitP50, 1)} ms; whole request p50 ${withDigits(median(total), 0)} ms, ${withDigits(median(reads), 0)} reads`,
          met: waitP50 <= BUDGET_MS,
          figures: { rows, samples },
        },
      ];
    });
  },
};

/** How many rows a run of about `targetMs` has on this machine. */
async function rowsOf(deployment: Deployment, targetMs: number): Promise<number> {
  let rows = 8;
  for (let tries = 0; tries < 3; tries += 1) {
    const runs: number[] = [];
    for (let count = 0; count < 4; count += 1) runs.push((await ask(deployment, rows)).runMs);
    rows = Math.min(MOST_ROWS, Math.max(1, Math.round((rows * targetMs) / median(runs))));
  }
  return rows;
}

async function ask({ recorder, gateway, apiKey }: Deployment, rows: number): Promise<Sample> {
  const inputs = tokenBatch(Array.from({ length: rows }, () => SEQUENCE));
  const { method, path, headers, body } = inferRequest(MODEL, inputs, apiKey);
  recorder.take();
  const askedMs = performance.now();
  const answer = await fetch(`${gateway.url}${path}`, { method, headers, body });
  const text = await answer.text();
  const answeredMs = performance.now();
  if (answer.status !== 200) throw new Error(`answered ${answer.status}: ${text}`);
  const calls = recorder.take();
  const begun = only(calls, 'job, begun');
  const ended = only(calls, 'job, ended');
  return {
    runMs: ended.askedMs - begun.answeredMs,
    waitMs: answeredMs - ended.askedMs,
    totalMs: answeredMs - askedMs,
    reads: calls.filter(({ kind }) => kind === 'result read').length,
  };
}

function only(calls: readonly ServiceCall[], kind: string): ServiceCall {
  const found = calls.filter((call) => call.kind === kind);
  if (found.length !== 1) throw new Error(`${found.length} calls of "${kind}" for one request`);
  return found[0]!;
}
