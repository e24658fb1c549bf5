import type { Datatype, Tensor } from '../inference/tensor.ts';
import type { Signature, TensorSignature } from '../models/signature.ts';

/** Names by which classifiers give the class of each row, and how probable each class is: ours, and those of skl2onnx. */
const LABELS: ReadonlySet<string> = new Set(['label', 'output_label']);
const PROBABILITIES: ReadonlySet<string> = new Set(['probabilities', 'output_probability']);
const WHOLE: ReadonlySet<Datatype> = new Set([
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
]);
const FRACTION: ReadonlySet<Datatype> = new Set(['FP32', 'FP64']);

/** As many as are counted by name. */
const MOST_CLASSES = 512;
/** Characters of a label that are kept. */
export const LABEL_LENGTH = 64;
/** Softmax in 32 bits may come out above 1 by so much. */
const ROUNDING = 1e-3;

/** What a run said of each of its rows. */
export type RowLabels = {
  labelAt(row: number): string | undefined;
  /** From 0 to 1. */
  confidenceAt(row: number): number | undefined;
};

/** Reads all outputs of a run of so many rows; undefined if they are not as the signature says. */
export type LabelReader = (outputs: readonly Tensor[], rows: number) => RowLabels | undefined;

type Probabilities = { readonly name: string; readonly classes: number };

/**
 * How a version's labels and confidences are found in its outputs, worked out once; undefined if it does not classify.
 *
 * - The label of a row is its element of the output `label` or `output_label`: one element a row, whole numbers or BYTES. BYTES count only
 *   beside probabilities: they are then names of classes, and not a text that was made for one caller, which must not be kept.
 * - Its confidence is the greatest of the row in `probabilities` or `output_probability`: FP32 or FP64, a fixed number of classes, 2 to 512.
 * - Where there is no such label, the index of the greatest probability is the label.
 */
export function compileLabelReader({ outputs }: Pick<Signature, 'outputs'>): LabelReader | undefined {
  const probabilities = outputs.map(toProbabilities).find((found) => found !== undefined);
  const label = outputs.find((output) => isLabel(output, probabilities !== undefined));
  if (label === undefined && probabilities === undefined) return undefined;
  return (found, rows) => {
    const labels = label === undefined ? undefined : dataOf(found, label.name, rows);
    const shares =
      probabilities === undefined ? undefined : dataOf(found, probabilities.name, rows * probabilities.classes);
    if (labels === undefined && shares === undefined) return undefined;
    return new FoundLabels(labels, shares, probabilities?.classes ?? 0);
  };
}

/** What a version's labels are: texts, whole numbers, or the places of so many classes; undefined if it does not classify. */
export function labelKindOf({
  outputs,
}: Pick<Signature, 'outputs'>): 'texts' | 'numbers' | { readonly classes: number } | undefined {
  const probabilities = outputs.map(toProbabilities).find((found) => found !== undefined);
  const label = outputs.find((output) => isLabel(output, probabilities !== undefined));
  if (label !== undefined) return label.datatype === 'BYTES' ? 'texts' : 'numbers';
  return probabilities === undefined ? undefined : { classes: probabilities.classes };
}

class FoundLabels implements RowLabels {
  readonly #labels: Tensor['data'] | undefined;
  readonly #shares: Tensor['data'] | undefined;
  readonly #classes: number;

  constructor(labels: Tensor['data'] | undefined, shares: Tensor['data'] | undefined, classes: number) {
    this.#labels = labels;
    this.#shares = shares;
    this.#classes = classes;
  }

  labelAt(row: number): string | undefined {
    const label = this.#labels?.[row];
    if (label === undefined) return this.#shares === undefined ? undefined : String(this.#greatestOf(row));
    return typeof label === 'string' ? label.slice(0, LABEL_LENGTH) : String(label);
  }

  confidenceAt(row: number): number | undefined {
    if (this.#shares === undefined) return undefined;
    const greatest = Number(this.#shares[row * this.#classes + this.#greatestOf(row)]);
    return greatest >= 0 && greatest <= 1 + ROUNDING ? Math.min(1, greatest) : undefined;
  }

  #greatestOf(row: number): number {
    const shares = this.#shares!;
    const from = row * this.#classes;
    let greatest = 0;
    for (let at = 1; at < this.#classes; at += 1) if (shares[from + at]! > shares[from + greatest]!) greatest = at;
    return greatest;
  }
}

function dataOf(outputs: readonly Tensor[], name: string, elements: number): Tensor['data'] | undefined {
  for (const output of outputs) {
    if (output.name === name) return output.data.length === elements ? output.data : undefined;
  }
  return undefined;
}

function isLabel({ name, datatype, shape }: TensorSignature, besideProbabilities: boolean): boolean {
  if (!LABELS.has(name) || !(WHOLE.has(datatype) || (datatype === 'BYTES' && besideProbabilities))) return false;
  return shape.length === 1 || (shape.length === 2 && shape[1] === 1);
}

function toProbabilities({ name, datatype, shape }: TensorSignature): Probabilities | undefined {
  if (!PROBABILITIES.has(name) || !FRACTION.has(datatype) || shape.length !== 2) return undefined;
  const [, classes] = shape;
  if (typeof classes !== 'number' || classes < 2 || classes > MOST_CLASSES) return undefined;
  return { name, classes };
}
