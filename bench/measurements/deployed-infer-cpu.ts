import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SAMPLE_MODELS } from '../../models/catalogue.ts';
import type { Bench } from '../bench.ts';
import { runScript } from '../child.ts';
import { type Deployment, withDeployment } from '../deployed/deployment.ts';
import { type Invocation, invocationsIn } from '../deployed/invocation-line.ts';
import type { SdkCost, SdkCostSpec, SdkRequest } from '../deployed/sdk-cost-spec.ts';
import { BY_TIME } from '../deployed/service-call.ts';
import { inferRequest } from '../infer-request.ts';
import { type Measurement, type Row, withDigits } from '../measurement.ts';
import { median, sum } from '../statistics.ts';

const MODEL = 'row-sum';
const BUDGET_MS = 1.5;
const METER = new URL('../deployed/cpu-of-invocations.ts', import.meta.url);
const SDK_COST = new URL('../deployed/sdk-cost.ts', import.meta.url);
/** Invocations whose calls are recorded, to answer the later ones. */
const RECORDED = 40;
/** As long as a handler waits before it looks for its result. */
const GAP_MS = 50;
/** A function that answers as `infer` does, after as long, and does nothing. */
const NOTHING = `export const handler = awslambda.streamifyResponse(async (event, stream) => {
  await new Promise((resolve) => setTimeout(resolve, ${GAP_MS}));
  const answer = awslambda.HttpResponseStream.from(stream, { statusCode: 200, headers: { 'Content-Type': 'application/json' } });
  answer.write('{}');
  await new Promise((resolve) => answer.end(resolve));
});
`;

/** Of what is beside the promise. */
const FEWER = { asked: 100, counted: 50 };

/** Invocations of one process, and of those the last that count: before, its code is compiled. */
type Counts = { readonly asked: number; readonly counted: number };
type Cpu = { readonly p50: number; readonly p90: number; readonly mean: number; readonly cpuMs: readonly number[] };

export const inferCpu: Measurement = {
  name: 'infer-cpu',
  summary:
    'CPU of a request in the deployed infer function, warm, one row of a small model: all threads of its process',
  byDefault: true,
  async run(bench) {
    const counts = bench.quick ? { asked: 160, counted: 80 } : { asked: 300, counted: 160 };
    return withDeployment({ models: [MODEL], processes: 1 }, async (deployment) => {
      const { invocations, rounds } = await withoutWire(bench, deployment, counts);
      const whole = cpuOf(invocations.map(({ cpuMs }) => cpuMs));
      const sdk = cpuOf(await sdkCost(rounds, { asked: 200, counted: 120 }));
      const runtime = cpuOf(cpuIn(await measure(bench, deployment, FEWER, {}, nothingIn(bench.workFolder))));
      const wire = cpuOf(cpuIn(await measure(bench, deployment, FEWER, {})));
      const ownMs = whole.p50 - sdk.p50 - runtime.p50;
      const callsEach = sum(rounds.map((round) => round.length)) / rounds.length;
      return [
        {
          what: 'infer function, without AWS calls and runtime',
          budget: `p50 ≤ ${BUDGET_MS} ms of CPU`,
          measured: `${withDigits(ownMs, 2)} ms: the next line less the two after it`,
          met: ownMs <= BUDGET_MS,
          figures: { ownMs, callsEach },
        },
        rowOf('whole process, AWS calls answered within it', whole),
        rowOf(`the SDK's part of ${withDigits(callsEach, 1)} calls, alone`, sdk),
        rowOf('runtime with a function that does nothing', runtime),
        rowOf('whole process, AWS calls over HTTP without TLS', wire),
      ];
    });
  },
};

/**
 * Calls are answered in the function's process, where the SDK would open a socket; what it does to make, sign and read each
 * counts. `rounds`: the calls of each request whose calls were recorded, while all it keeps for a while was fresh or read again.
 */
async function withoutWire(bench: Bench, deployment: Deployment, counts: Counts) {
  const { recorder } = deployment;
  const rounds: SdkRequest[][] = [];
  recorder.keepsWire = true;
  const invocations = await measure(
    bench,
    deployment,
    counts,
    { SLUICE_BENCH_RECORDED: String(RECORDED) },
    undefined,
    () => {
      const calls = recorder
        .take()
        .filter(({ caller, status, kind }) => caller === 'function' && status === 200 && !BY_TIME.has(kind));
      rounds.push(calls.map(({ operation, wire }) => ({ operation, ...wire! })));
    },
  );
  recorder.keepsWire = false;
  const passed = sum(invocations.map((each) => each.passed));
  if (passed > counts.counted / 10) throw new Error(`${passed} calls left the process`);
  return { invocations, rounds: rounds.slice(RECORDED / 4, RECORDED - 1) };
}

async function sdkCost(rounds: readonly (readonly SdkRequest[])[], { asked, counted }: Counts) {
  const all = Array.from({ length: asked }, (_, at) => rounds[at % rounds.length]!);
  const spec: SdkCostSpec = { rounds: all, gapMs: GAP_MS, warmUp: asked - counted };
  const { cpuMs } = await runScript<SdkCost>(SDK_COST, spec, 120_000);
  return cpuMs;
}

async function measure(
  bench: Bench,
  deployment: Deployment,
  { asked, counted }: Counts,
  environment: Readonly<Record<string, string>>,
  folder?: string,
  onAnswer: () => void = () => {},
): Promise<readonly Invocation[]> {
  const own = { ...environment, ...profiled(bench, { asked, counted }), NODE_OPTIONS: `--import=${METER.href}` };
  const { infer, gateway } = await deployment.open(1, own, folder);
  const inputs = SAMPLE_MODELS.find(({ name }) => name === MODEL)!.example.inputs;
  const { method, path, headers, body } = inferRequest(MODEL, inputs, deployment.apiKey);
  for (let count = 0; count < asked; count += 1) {
    const answer = await fetch(`${gateway.url}${path}`, { method, headers, body });
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`answered ${answer.status}: ${text}`);
    onAnswer();
  }
  return invocationsIn(infer.logLines).slice(-counted);
}

function nothingIn(workFolder: string): string {
  const folder = join(workFolder, 'nothing');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'index.mjs'), NOTHING);
  return folder;
}

/** Of those that count, less the last: its end is when the next is asked for. */
function profiled({ profileFolder }: Bench, { asked, counted }: Counts): Record<string, string> {
  if (profileFolder === undefined) return {};
  const path = join(profileFolder, `infer-${Date.now()}.cpuprofile`);
  return { SLUICE_BENCH_PROFILE: path, SLUICE_BENCH_PROFILED: `${asked - counted},${asked - 1}` };
}

function cpuIn(invocations: readonly Invocation[]): readonly number[] {
  return invocations.map(({ cpuMs }) => cpuMs);
}

function cpuOf(cpuMs: readonly number[]): Cpu {
  const sorted = cpuMs.toSorted((a, b) => a - b);
  return { p50: median(cpuMs), p90: sorted[Math.floor(sorted.length * 0.9)]!, mean: sum(cpuMs) / cpuMs.length, cpuMs };
}

function rowOf(what: string, cpu: Cpu): Row {
  const { p50, p90, mean, cpuMs } = cpu;
  const [low, high, middle] = [p50, p90, mean].map((value) => withDigits(value, 2));
  return { what, measured: `p50 ${low} ms, p90 ${high} ms, mean ${middle} ms of ${cpuMs.length}`, figures: cpu };
}
