import { Failure } from '../../failure.ts';
import type { Tensor, TensorData } from '../../inference/tensor.ts';
import type { InputRules } from '../manifest.ts';
import type { Signature, TensorSignature } from '../signature.ts';
import type { Examination } from './examination.ts';
import { type ProbeValue, probeValues, type Value } from './probe-values.ts';
import { freeLength, type Row, scaleRow, tensorNamed } from './rows.ts';

/** A row that callers may send and that may break the model. */
export type Probe = {
  readonly input: string;
  /** For people: what stands in the input. */
  readonly what: string;
  /** The rule of the manifest that would exclude it, such as `inputs.x.max`; undefined where there is none. */
  readonly rule: string | undefined;
  readonly fed: Row;
  /** Of one value in one input. */
  readonly value?: Value;
};

/** A division of the least by -1 needs two inputs; more than this many inputs are not paired with each other. */
const MOST_PAIRED = 4;

/**
 * Rows at the edges of what the manifest allows, one input at a time, then pairs of inputs, then the longest row. What the
 * gateway would refuse is left out.
 */
export function* probesOf(examination: Examination, base: Row): Iterable<Probe> {
  const { signature } = examination;
  for (const input of signature.inputs) yield* probesOfInput(examination, base, input);
  yield* pairs(examination, base);
  const longest = longestRow(examination, base, examination.maxLength);
  if (longest !== undefined) yield longest;
}

/** The row with one input's first element changed; undefined if the gateway would refuse that. */
export function withValue(examination: Examination, base: Row, input: string, value: Value): Row | undefined {
  return admitted(
    examination,
    replaced(base, input, (tensor) => filled(tensor, (at, own) => (at === 0 ? value : own))),
  );
}

/** The row with free dimensions of so many elements; undefined if there are none, or if callers cannot send it. */
export function longestRow(examination: Examination, base: Row, length: number): Probe | undefined {
  const { signature } = examination;
  if (freeLength(signature, base) === undefined) return undefined;
  const fed = admitted(examination, scaleRow(signature, base, length));
  const input = longestInput(signature);
  return fed && { input, what: `rows of length ${length}, as long as they may be`, rule: 'limits.maxLength', fed };
}

export function rulesOf({ manifest }: Pick<Examination, 'manifest'>, input: string): InputRules {
  return Object.hasOwn(manifest.inputs, input) ? (manifest.inputs[input] ?? {}) : {};
}

function* probesOfInput(examination: Examination, base: Row, { name, datatype }: TensorSignature): Iterable<Probe> {
  const values = probeValues(datatype, rulesOf(examination, name));
  const elements = tensorNamed(base, name).data.length;
  for (const { what, value, rule } of values) {
    const named = { input: name, rule: rule && `inputs.${name}.${rule}`, value };
    const every = longestAdmitted(examination, base, name, value);
    if (every !== undefined) yield { ...named, what: elements > 1 ? `${what} in every element` : what, fed: every };
    if (elements === 1 || datatype === 'BYTES') continue;
    const first = withValue(examination, base, name, value);
    if (first !== undefined) yield { ...named, what: `${what} in one element`, fed: first };
  }
  if (elements === 1 || values.length === 0) return;
  const mixed = replaced(base, name, (tensor) => filled(tensor, (at) => values[at % values.length]!.value));
  const fed = admitted(examination, mixed);
  if (fed !== undefined) yield { input: name, what: 'all of these mixed', rule: `inputs.${name}.min`, fed };
}

/** A text that has too many tokens is cut to as many characters as the gateway takes. */
function longestAdmitted(examination: Examination, base: Row, input: string, value: Value): Row | undefined {
  const fedWith = (text: Value) =>
    admitted(
      examination,
      replaced(base, input, (tensor) => filled(tensor, () => text)),
    );
  let longest = fedWith(value);
  if (longest !== undefined || typeof value !== 'string') return longest;
  let fits = 0;
  let tooLong = value.length;
  while (tooLong - fits > 1) {
    const length = Math.floor((fits + tooLong) / 2);
    const fed = fedWith(value.slice(0, length).toWellFormed());
    if (fed === undefined) tooLong = length;
    else [fits, longest] = [length, fed];
  }
  return longest;
}

/** The worst of one input beside the worst of another: the least and -1, the greatest and 0. */
function* pairs(examination: Examination, base: Row): Iterable<Probe> {
  const wholes = examination.signature.inputs.filter(({ datatype }) => /^U?INT/.test(datatype));
  if (wholes.length > MOST_PAIRED) return;
  for (const one of wholes) {
    for (const other of wholes) {
      if (one === other) continue;
      for (const a of edges(examination, one)) {
        for (const b of edges(examination, other)) {
          const both = replaced(
            replaced(base, one.name, (tensor) => filled(tensor, () => a.value)),
            other.name,
            (tensor) => filled(tensor, () => b.value),
          );
          const fed = admitted(examination, both);
          const what = `${a.what} beside ${b.what} in ${other.name}`;
          if (fed !== undefined) yield { input: one.name, what, rule: `inputs.${one.name}.min`, fed };
        }
      }
    }
  }
}

/** The first four of a whole-number input: least, greatest, -1 and 0, where it may hold them. */
function edges(examination: Examination, { name, datatype }: TensorSignature): readonly ProbeValue[] {
  return probeValues(datatype, rulesOf(examination, name)).slice(0, 4);
}

function longestInput({ inputs }: Signature): string {
  return inputs.find(({ shape }) => shape.slice(1).some((size) => typeof size === 'string'))!.name;
}

function admitted({ feed }: Examination, sent: Row): Row | undefined {
  try {
    return feed(sent);
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

function replaced(row: Row, input: string, change: (tensor: Tensor) => TensorData): Row {
  return row.map((tensor) => (tensor.name === input ? { ...tensor, data: change(tensor) } : tensor));
}

function filled({ data }: Tensor, valueAt: (at: number, own: Value) => Value): TensorData {
  if (Array.isArray(data)) return data.map((own, at) => String(valueAt(at, own)));
  const copy = data.slice();
  for (let at = 0; at < copy.length; at += 1) {
    const value = valueAt(at, copy[at]!) as number | bigint;
    copy[at] = copy instanceof BigInt64Array || copy instanceof BigUint64Array ? BigInt(value) : Number(value);
  }
  return copy;
}
