import type { BatchMates } from '../report.ts';
import type { Sample } from './check-constant.ts';
import { compareRows, type Differences } from './compare-rows.ts';
import { type Examination, mayShareRuns } from './examination.ts';
import type { Finding, Say } from './report-writer.ts';
import type { Row } from './rows.ts';

/**
 * In units of the largest output. What is in other rows changes nothing at all in a sound model: at one size and place the same
 * kernels do the same operations on a row. Eight units in the last place of FP32 (1e-6) leave room for kernels that vary.
 */
const CONTENT_LIMIT = 8 * 2 ** -23;
/**
 * In the same units. The number of rows, and padding, choose other kernels and orders of summation: an encoder in FP32 of 6
 * layers was measured to differ by 3e-7 (4.5e-8 of 0.15), and rounding grows with the root of the layers: 2e-6 at 256 of them.
 * Dynamic INT8, which scales over the whole run, differs by 1e-3 and more (ONNX.md). 1e-4 is 50 times the one and a tenth of the other.
 */
const SIZE_LIMIT = 1e-4;
/** FP16 outputs are rounded to 2^-11 of themselves. */
const HALF_SIZE_LIMIT = 4e-3;

type Found = { readonly finding: Finding; readonly batchMates: BatchMates };

/**
 * Whether a row's answer depends on the rows beside it. `hostile` are rows that the probes found answered; `spreads`: what is not
 * finite was found to reach other rows. What could not be compared is never batched.
 */
export async function checkBatchMates(
  examination: Examination,
  rows: { readonly samples: readonly Sample[]; readonly hostile: readonly Row[]; readonly spreads: boolean },
  say: Say,
): Promise<Found> {
  if (!mayShareRuns(examination)) return never(examination, whyAlone(examination));
  const { samples } = rows;
  if (samples.length < 3) {
    return never(examination, `only ${samples.length} different rows were answered: too few to compare`);
  }
  const differences = await compareRows(examination, samples, rows.hostile, say);
  if (differences === 'unsplittable') return never(examination, 'the model does not give a row for every row of a run');
  if (differences === 'unmeasured') return never(examination, 'two rows could not be run together in time');
  return verdictOf(examination, differences, rows.spreads);
}

function whyAlone({ graph, manifest }: Examination): string {
  if (manifest.batching.maxRows === 1) return 'the manifest asks for it (batching.maxRows is 1)';
  const names = [...new Set([...graph.inputs, ...graph.outputs].map(({ shape }) => String(shape[0] ?? 'none')))];
  if (names.length > 1) return `the first dimensions are not one free dimension of one name (${names.join(', ')})`;
  if (typeof graph.inputs[0]?.shape[0] !== 'string') return `the first dimension is fixed at ${names[0]}`;
  return 'an output has a free dimension that no input has, so that rows cannot be taken apart';
}

function never({ manifest }: Examination, why: string): Found {
  const isAsked = manifest.batching.maxRows === 1;
  const finding: Finding = {
    outcome: isAsked ? 'skipped' : 'warning',
    detail: `never batched: ${why}; every request has a run of its own`,
    ...(!isAsked && {
      advice:
        'Export dimension 0 of every input and output as free under one name (dynamic_axes), and add golden pairs with three different rows: batches are several times faster.',
    }),
  };
  return { finding, batchMates: { verdict: 'never-batched', largestDifference: 0 } };
}

const MIXES_ROWS =
  'Dynamic quantization (scales over the whole run) and normalization over rows do this: quantize statically or normalize each row. Within one tenant runs are still shared; set `batching.maxRows` to 1 to end that too.';
const PADS_WRONGLY = 'Check `pad` of its inputs and that a mask covers padding, or remove `pad`.';

function verdictOf({ graph, manifest }: Examination, differences: Differences, spreads: boolean): Found {
  const { content, hostile, size, padding } = differences;
  const isHalf = graph.outputs.some(({ datatype }) => datatype === 'FP16');
  const limit = isHalf ? HALF_SIZE_LIMIT : SIZE_LIMIT;
  const most = Math.max(content.absolute, size.absolute, padding.absolute);
  if (content.relative > CONTENT_LIMIT) {
    return apart('mate-dependent', most, "what is in the other rows of a run changes a row's answer", MIXES_ROWS);
  }
  if (hostile.relative > CONTENT_LIMIT) {
    const what = 'rows at the edges of what the manifest allows change the answers of the rows beside them';
    return apart('mate-dependent', hostile.absolute, what, MIXES_ROWS);
  }
  if (spreads) {
    const what = 'NaN and infinities, which the manifest allows, change the answers of the rows beside them';
    return apart('mate-dependent', most, what, 'Remove `allowNotFinite`, so that callers cannot send them.');
  }
  if (size.relative > limit) {
    return apart('size-dependent', most, "the number of rows in a run changes a row's answer", MIXES_ROWS);
  }
  if (padding.relative > limit) {
    return apart('size-dependent', most, "padding to longer rows changes a row's answer", PADS_WRONGLY);
  }
  const noise = most === 0 ? 'exactly' : `but for rounding of ${most.toPrecision(2)}`;
  const said = manifest.batching.batchMateDependent ? '; the manifest says otherwise, and is obeyed' : '';
  const detail = `a row's answer is the same alone and with any others, ${noise}${said}`;
  return {
    finding: { outcome: 'passed', detail },
    batchMates: { verdict: 'independent', largestDifference: most },
  };
}

function apart(verdict: BatchMates['verdict'], largestDifference: number, what: string, advice: string): Found {
  const by = largestDifference === 0 ? '' : ` by up to ${largestDifference.toPrecision(2)}`;
  const detail = `never batched across tenants, because ${what}${by}`;
  return { finding: { outcome: 'warning', detail, advice }, batchMates: { verdict, largestDifference } };
}
