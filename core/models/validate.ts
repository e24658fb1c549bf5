import { Failure } from '../failure.ts';
import type { Clock } from '../ports/clock.ts';
import type { Graphs, PreparedGraph } from '../ports/graphs.ts';
import type { Sandbox } from '../ports/sandbox.ts';
import type { Tokenizer } from '../ports/tokenizers.ts';
import { GIB, MIB } from '../units.ts';
import { checkAgainstSignature } from './check-manifest.ts';
import type { GoldenPair } from './golden.ts';
import type { Manifest } from './manifest.ts';
import type { Validation } from './report.ts';
import type { Signature } from './signature.ts';
import { publicSignature } from './tokenized-signature.ts';
import { checkBatchMates } from './validation/check-batch-mates.ts';
import { checkConstant } from './validation/check-constant.ts';
import { checkGolden } from './validation/check-golden.ts';
import { checkNotFinite } from './validation/check-not-finite.ts';
import { checkProbes } from './validation/check-probes.ts';
import { checkZeroSize } from './validation/check-zero-size.ts';
import { deriveBatching, speedFinding, speedOf, usdPerThousand } from './validation/derive-batching.ts';
import { type Examination, examine } from './validation/examination.ts';
import { measureSpeed } from './validation/measure-speed.ts';
import { MEMORY_LIMIT_BYTES, ModelUnderTest } from './validation/model-under-test.ts';
import { type Finding, type OnProgress, ReportWriter } from './validation/report-writer.ts';
import { freeLength } from './validation/rows.ts';

/** A model as it was pushed. */
export type Subject = {
  readonly path: string;
  readonly manifest: Manifest;
  readonly golden: readonly GoldenPair[];
  /** Of the `tokenizer.json` that the manifest names. */
  readonly tokenizer?: Tokenizer | undefined;
  readonly usdPerComputeHour: number;
};

export type Validated = {
  /** What callers send and get. */
  readonly signature: Signature;
  /** What the graph takes and gives, where a tokenizer makes that another. */
  readonly graphSignature?: Signature;
  readonly validation: Validation;
  /** The file to store. The caller discards it when it has. */
  readonly prepared: PreparedGraph;
};

type Ports = { readonly sandbox: Sandbox; readonly graphs: Graphs; readonly clock: Clock };

/**
 * Looks at a model as a worker would run it, in processes that are thrown away, and finds out whether, how fast and how cheaply it
 * can be served: about half a minute for one of 90 MB on two cores, two at the most and a load. `onProgress` is told what
 * was found so far and what is being done; a refused check is the last that it is told.
 *
 * Throws `model-invalid`, `model-external-data`, `model-output-unsupported`, `manifest-invalid`, `tokenizer-invalid`, `golden-invalid`,
 * `golden-mismatch`, `model-constant`, `model-crashes` or `validation-timeout`; `advice` among the facts says what to do. Nothing that is
 * thrown or told holds a value of the golden pairs.
 */
export async function validateModel(
  ports: Ports,
  subject: Subject,
  onProgress: OnProgress = () => {},
): Promise<Validated> {
  const startedMs = ports.clock.nowMs();
  const report = new ReportWriter(ports.clock, onProgress);
  const { prepared } = await report.check('file', 'reading the file', () => checkFile(ports, subject));
  const model = new ModelUnderTest(ports, prepared.path, subject.manifest.timeoutMs);
  try {
    const loaded = await report.check('loads', 'loading the model', () => checkLoads(model, prepared));
    const { examination } = await report.check('signature', 'comparing manifest and graph', () =>
      checkSignature(model, loaded.graph, subject),
    );
    const found = await look(report, examination, subject);
    const { memory } = await report.check('memory', 'adding up', () => checkMemory(model));
    const validation: Validation = {
      ...found,
      checks: [...report.checks],
      goldenPairs: subject.golden.length,
      loadMs: loaded.loadMs,
      memoryBytes: memory,
      repairs: [...prepared.repairs],
      tookMs: Math.max(0, Math.round(ports.clock.nowMs() - startedMs)),
    };
    const { signature, graph } = examination;
    return { signature, ...(signature !== graph && { graphSignature: graph }), validation, prepared };
  } catch (error) {
    await prepared.discard();
    throw error;
  } finally {
    await model.close();
  }
}

type Looked = Pick<Validation, 'largestDifference' | 'rowMs' | 'batchMates' | 'speed' | 'batching' | 'usdPerThousand'>;

async function look(report: ReportWriter, examination: Examination, subject: Subject): Promise<Looked> {
  const { golden, manifest, usdPerComputeHour } = subject;
  const { largestDifference } = await report.check('golden', `comparing ${golden.length} golden pairs`, (say) =>
    checkGolden(examination, golden, say),
  );
  const { samples } = await report.check('constant', 'asking it different things', () =>
    checkConstant(examination, golden),
  );
  const { spreads } = await report.check('not-finite', 'trying NaN and infinities', () =>
    checkNotFinite(examination, samples),
  );
  await report.check('zero-size', 'trying empty inputs', () => checkZeroSize(examination, samples));
  const { answered: hostile } = await report.check('probes', 'probing the edges', (say) =>
    checkProbes(examination, samples, say),
  );
  const { batchMates } = await report.check('batch-mates', 'comparing rows alone and together', (say) =>
    checkBatchMates(examination, { samples, hostile, spreads }, say),
  );
  const { curves } = await report.check('speed', 'measuring', async (say) => {
    const measured = await measureSpeed(examination, samples, say);
    if (measured.length === 0)
      throw new Failure('validation-timeout', { detail: 'no time was left to measure its speed' });
    return { finding: speedFinding(measured, manifest), curves: measured };
  });
  return {
    largestDifference,
    rowMs: curves[0]!.points[0]!.runMs,
    batchMates,
    speed: speedOf(curves),
    batching: deriveBatching(curves, freeLength(examination.graph, samples[0]!.fed) !== undefined),
    usdPerThousand: usdPerThousand(curves[0]!, usdPerComputeHour),
  };
}

async function checkFile({ graphs }: Ports, { path }: Subject): Promise<{ finding: Finding; prepared: PreparedGraph }> {
  const prepared = await graphs.prepare(path);
  const { repairs, summary } = prepared;
  const finding: Finding =
    repairs.length === 0
      ? { outcome: 'passed', detail: summary }
      : { outcome: 'repaired', detail: `${repairs.join('; ')} (${summary})` };
  return { finding, prepared };
}

type Loaded = { readonly finding: Finding; readonly graph: Signature; readonly loadMs: number };

async function checkLoads(model: ModelUnderTest, { repairs }: PreparedGraph): Promise<Loaded> {
  const { signature: graph, loadMs } = await model.load();
  const repaired = repairs.length > 0 ? ', as repaired,' : '';
  const detail = `loads${repaired} in ${Math.round(loadMs)} ms`;
  return { finding: { outcome: 'passed', detail }, graph, loadMs };
}

function checkSignature(
  model: ModelUnderTest,
  graph: Signature,
  { manifest, tokenizer }: Subject,
): { finding: Finding; examination: Examination } {
  refuseHalves(graph);
  if (manifest.tokenizer !== undefined && tokenizer === undefined) {
    throw new Failure('tokenizer-invalid', {
      detail: 'the manifest names a tokenizer, but there is no tokenizer.json',
    });
  }
  checkAgainstSignature(manifest, graph);
  const signature = manifest.tokenizer === undefined ? graph : publicSignature(graph, manifest.tokenizer);
  const examination = examine({ model, manifest, signature, graph, tokenizer });
  const detail = `${described(signature.inputs)} in, ${described(signature.outputs)} out`;
  return { finding: { outcome: 'passed', detail }, examination };
}

/** onnxruntime-node refuses FP16 data as input on Node 24, whatever is sent. */
function refuseHalves(graph: Signature): void {
  const half = graph.inputs.filter((input) => input.datatype === 'FP16').map((input) => input.name);
  if (half.length === 0) return;
  throw new Failure('model-invalid', {
    detail: `FP16 inputs cannot be fed by this runtime: ${half.join(', ')}`,
    inputs: half,
    advice: 'Put a Cast from FP32 before each of them (keep_io_types=True in onnxconverter-common).',
  });
}

const MOST_DESCRIBED = 6;

function described(tensors: Signature['inputs']): string {
  const shown = tensors.slice(0, MOST_DESCRIBED).map(({ name, datatype, shape }) => {
    const sizes = shape.map((size) => (size === '' ? '?' : size));
    return `${name} ${datatype} [${sizes.join(', ')}]`;
  });
  const more = tensors.length > MOST_DESCRIBED ? ` and ${tensors.length - MOST_DESCRIBED} more` : '';
  return shown.join(', ') + more;
}

function checkMemory(model: ModelUnderTest): { finding: Finding; memory: number } {
  const memory = Math.round(model.peakBytes);
  const detail = `needed ${Math.max(1, Math.round(memory / MIB)).toLocaleString('en-US')} MiB at the most`;
  if (memory <= MEMORY_LIMIT_BYTES) return { finding: { outcome: 'passed', detail }, memory };
  throw new Failure('model-invalid', {
    detail: `${detail}; ${MEMORY_LIMIT_BYTES / GIB} GiB are the limit`,
    limit: MEMORY_LIMIT_BYTES,
    advice: 'Lower limits.maxLength, or make the model smaller: quantize it, or save its weights as FP16.',
  });
}
