import { join } from 'node:path';
import { SAMPLE_MODELS } from '../../models/catalogue.ts';
import type { Bench } from '../bench.ts';
import { type Deployment, withDeployment } from '../deployed/deployment.ts';
import { type Invocation, invocationsIn } from '../deployed/invocation-line.ts';
import { inferRequest } from '../infer-request.ts';
import { type Measurement, type Row, withDigits } from '../measurement.ts';
import { median, sum } from '../statistics.ts';

const MODEL = 'row-sum';
const BUDGET_MS = 1.5;
const METER = new URL('../deployed/cpu-of-invocations.ts', import.meta.url);
/** Invocations whose calls are recorded, to answer the later ones. */
const RECORDED = 40;

/** Invocations of one process, and of those the last that count: before, its code is compiled. */
type Counts = { readonly asked: number; readonly counted: number };

export const inferCpu: Measurement = {
  name: 'infer-cpu',
  summary: 'CPU of a request in the deployed infer function, warm, one row of a small model, all of its process',
  byDefault: true,
  async run(bench) {
    return withDeployment({ models: [MODEL], processes: 1 }, async (deployment) => [
      await withoutWire(bench, deployment),
      await overTheWire(bench, deployment),
    ]);
  },
};

/**
 * AWS calls without what carries them: they are answered in the function's process, where the SDK would open a socket. What it
 * does to make, sign and read each call counts.
 */
async function withoutWire(bench: Bench, deployment: Deployment): Promise<Row> {
  const counts = bench.quick ? { asked: 140, counted: 80 } : { asked: 300, counted: 200 };
  const invocations = await measure(bench, deployment, counts, { SLUICE_BENCH_RECORDED: String(RECORDED) });
  const passed = sum(invocations.map((each) => each.passed));
  if (passed > counts.counted / 10) throw new Error(`${passed} calls left the process`);
  const { p50, text, figures } = figuresOf(invocations);
  return {
    what: 'infer function, AWS calls answered within it',
    budget: `p50 ≤ ${BUDGET_MS} ms of CPU`,
    measured: text,
    met: p50 <= BUDGET_MS,
    figures: { ...figures, passed },
  };
}

async function overTheWire(bench: Bench, deployment: Deployment): Promise<Row> {
  const counts = bench.quick ? { asked: 80, counted: 40 } : { asked: 160, counted: 80 };
  const { text, figures } = figuresOf(await measure(bench, deployment, counts, {}));
  return { what: 'the same, AWS calls over HTTP without TLS', measured: text, figures };
}

async function measure(
  bench: Bench,
  deployment: Deployment,
  { asked, counted }: Counts,
  environment: Readonly<Record<string, string>>,
): Promise<readonly Invocation[]> {
  const NODE_OPTIONS = `--import=${METER.href}`;
  const { infer, gateway } = await deployment.open(1, {
    ...environment,
    ...profiled(bench, { asked, counted }),
    NODE_OPTIONS,
  });
  const inputs = SAMPLE_MODELS.find(({ name }) => name === MODEL)!.example.inputs;
  const { method, path, headers, body } = inferRequest(MODEL, inputs, deployment.apiKey);
  for (let count = 0; count < asked; count += 1) {
    const answer = await fetch(`${gateway.url}${path}`, { method, headers, body });
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`answered ${answer.status}: ${text}`);
  }
  return invocationsIn(infer.logLines).slice(-counted);
}

/** Of those that count, less the last: its end is when the next is asked for. */
function profiled({ profileFolder }: Bench, { asked, counted }: Counts): Record<string, string> {
  if (profileFolder === undefined) return {};
  const path = join(profileFolder, `infer-${Date.now()}.cpuprofile`);
  return { SLUICE_BENCH_PROFILE: path, SLUICE_BENCH_PROFILED: `${asked - counted},${asked - 1}` };
}

function figuresOf(invocations: readonly Invocation[]): { p50: number; text: string; figures: Row['figures'] } {
  const cpu = invocations.map(({ cpuMs }) => cpuMs);
  const sorted = cpu.toSorted((a, b) => a - b);
  const [p50, p90, mean] = [median(cpu), sorted[Math.floor(sorted.length * 0.9)]!, sum(cpu) / cpu.length];
  const text = `p50 ${withDigits(p50, 2)} ms, p90 ${withDigits(p90, 2)} ms, mean ${withDigits(mean, 2)} ms of ${cpu.length}`;
  return { p50, text, figures: { p50, p90, mean, cpuMs: cpu } };
}
