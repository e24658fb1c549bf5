import type { Job, Outcome } from '../../core/inference/job.ts';
import { manifestSchema } from '../../core/models/manifest.ts';
import type { Signature } from '../../core/models/signature.ts';
import type { TelemetryItem } from '../../core/ports/telemetry.ts';
import { compileInputProfiler, type InputProfiler } from '../../core/quality/profile-inputs.ts';
import { Recorder } from '../../core/quality/recorder.ts';
import { compileLabelReader, type RowLabels } from '../../core/quality/row-labels.ts';
import { Sketch } from '../../core/quality/sketch.ts';
import { type Measurement, type Row, withDigits } from '../measurement.ts';
import { median } from '../statistics.ts';

const SKETCH_BUDGET_NS = 200;
const REQUEST_BUDGET_NS = 500;
/** Calls that are timed together: a clock's own 50 ns are nothing beside them. */
const TOGETHER = 1_000;
const TENANTS = 50;
const WINDOW_MS = 5_000;

const SIGNATURE: Signature = {
  inputs: [{ name: 'text', datatype: 'BYTES', shape: ['batch'] }],
  outputs: [
    { name: 'label', datatype: 'BYTES', shape: ['batch'] },
    { name: 'probabilities', datatype: 'FP32', shape: ['batch', 3] },
  ],
};
const TEXT = 'I was charged twice for one transfer, and nobody answers. Where is my money? It was 250 EUR.';

export const recorder: Measurement = {
  name: 'recorder',
  summary: 'what counting a request costs whoever answers it: latency, labels, tenant, and a sample of inputs',
  byDefault: true,
  async run(bench) {
    const batches = bench.quick ? 100 : 1_000;
    return [measureSketch(batches), measureRequests(batches), measureProfiles(batches)];
  },
};

function measureSketch(batches: number): Row {
  const values = Float64Array.from({ length: TOGETHER }, () => Math.exp(Math.random() * 10 - 3));
  const sketch = new Sketch();
  const each = nanosOf(batches, (at) => sketch.add(values[at]!));
  return {
    what: 'one value into a sketch',
    budget: `median ≤ ${SKETCH_BUDGET_NS} ns`,
    measured: `${withDigits(each, 0)} ns`,
    met: each <= SKETCH_BUDGET_NS,
    figures: { nanos: each, values: sketch.count },
  };
}

/** As a worker counts what it has answered: within one window, and with the sample of inputs that each window takes. */
function measureRequests(batches: number): Row {
  const nowMs = performance.timeOrigin + performance.now();
  const { count } = openRecorder(() => nowMs);
  const each = nanosOf(batches, count);
  return {
    what: 'one request counted, of a classifier with one text',
    budget: `median ≤ ${REQUEST_BUDGET_NS} ns`,
    measured: `${withDigits(each, 0)} ns`,
    met: each <= REQUEST_BUDGET_NS,
    figures: { nanos: each },
  };
}

/** Each call in a window of its own profiles what of it is sampled: 64 such rows are what a window costs. */
function measureProfiles(batches: number): Row {
  let nowMs = performance.timeOrigin + performance.now();
  const { count, profile } = openRecorder(() => nowMs);
  count(0);
  const each = nanosOf(Math.ceil(batches / 10), () => {
    nowMs += 1;
    profile();
  });
  const windowMs = (64 * each) / 1e6;
  return {
    what: `a sample of 64 texts of ${TEXT.length} characters profiled, once in ${WINDOW_MS / 1000} s`,
    measured: `${withDigits(windowMs, 3)} ms, ${withDigits((100 * windowMs) / WINDOW_MS, 4)} % of the time`,
    figures: { rowNanos: each, windowMs },
  };
}

function openRecorder(nowMs: () => number): { count(at: number): void; profile(): void } {
  const sealed: TelemetryItem[] = [];
  const counting = new Recorder({
    telemetry: { append: async (items: readonly TelemetryItem[]) => void sealed.push(...items) } as never,
    clock: { nowMs, sleep: async () => {} },
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
  const run = labelsOf();
  const profileInputs = compileInputProfiler({ signature: SIGNATURE, manifest: manifestSchema.parse({ name: 'm' }) });
  const jobs = Array.from({ length: TENANTS }, (_, at) => jobOf(`tenant-${at}`, nowMs()));
  const labels = { run, firstRow: 0 };
  const end = { outcome: outcomeOf(nowMs() + 4), labels, profileInputs };
  const into: Parameters<InputProfiler>[3] = new Map();
  return {
    count: (at) => counting.jobEnded(jobs[at % TENANTS]!, end),
    profile: () => profileInputs(jobs[0]!.inputs, 1, 1, into),
  };
}

function labelsOf(): RowLabels {
  const outputs = [
    { name: 'label', datatype: 'BYTES' as const, shape: [1], data: ['negative'] },
    { name: 'probabilities', datatype: 'FP32' as const, shape: [1, 3], data: Float32Array.from([0.7, 0.2, 0.1]) },
  ];
  return compileLabelReader(SIGNATURE)!(outputs, 1)!;
}

function jobOf(tenant: string, nowMs: number): Job {
  const inputs = [{ name: 'text', datatype: 'BYTES' as const, shape: [1], data: [TEXT] }];
  return { id: 'pred', tenant, model: 'm', version: '1', inputs, rows: 1, acceptedAtMs: nowMs } as unknown as Job;
}

function outcomeOf(endedAtMs: number): Outcome {
  const measures = { computeMs: 1.25, queueMs: 0.75, batchRows: 8, endedAtMs };
  return { kind: 'succeeded', version: '1', outputs: [], ...measures };
}

/** Of one call, the median over batches; the first half of them is for the compiler. */
function nanosOf(batches: number, call: (at: number) => void): number {
  const nanos: number[] = [];
  for (let batch = 0; batch < 2 * batches; batch += 1) {
    const startMs = performance.now();
    for (let at = 0; at < TOGETHER; at += 1) call(at);
    if (batch >= batches) nanos.push(((performance.now() - startMs) * 1e6) / TOGETHER);
  }
  return median(nanos);
}
