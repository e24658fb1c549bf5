import { Failure } from '../failure.ts';
import type { InputRules, Manifest } from '../models/manifest.ts';
import { isBatchable, type TensorSignature } from '../models/signature.ts';
import type { ModelVersion } from '../models/version.ts';
import type { InferRequest } from './request.ts';
import type { Tensor } from './tensor.ts';
import { compileDataCheck, type DataCheck } from './validate-data.ts';

export type ValidatedInputs = {
  /** As the graph takes them. */
  readonly inputs: readonly Tensor[];
  /** The first dimension where it is free, else 1: what quotas count and batches add up. */
  readonly rows: number;
  /** The longest free dimension after the first over all inputs, 1 if there is none: what batches are bucketed by. */
  readonly length: number;
  /** Requested outputs in order; undefined is all. */
  readonly outputs: readonly string[] | undefined;
};

/**
 * Accepts a request that this version can run, or throws naming the field: `input-missing`, `input-unknown`,
 * `output-unknown`, `datatype-mismatch`, `shape-mismatch`, `input-too-large`, `value-out-of-range`, `value-not-finite`,
 * `text-invalid`. An empty free dimension is a `shape-mismatch`: models answer NaN to it.
 */
export type InputValidator = (request: InferRequest) => ValidatedInputs;

/** All that signature and manifest say, worked out once. In a batchable model all inputs have the same number of rows. */
export function compileValidator(version: Pick<ModelVersion, 'signature' | 'manifest'>): InputValidator {
  const { signature, manifest } = version;
  const checks = signature.inputs.map((input) => compileInput(input, manifest));
  const byName = new Map(checks.map((check) => [check.name, check]));
  const names = checks.map((check) => check.name);
  const outputNames = signature.outputs.map((output) => output.name);
  const sameRows = isBatchable(signature);
  return (request) => {
    const sizes: Sizes = { rows: 0, length: 1, named: undefined, sameRows };
    const { inputs } = request;
    for (let i = 0; i < inputs.length; i += 1) {
      const tensor = inputs[i]!;
      // Most requests list their inputs as the graph does.
      const check = names[i] === tensor.name ? checks[i] : byName.get(tensor.name);
      if (check === undefined) throw new Failure('input-unknown', { field: `inputs[${i}].name`, known: names });
      checkHeader(check, tensor, i, sizes);
      check.data?.(tensor.data, i);
    }
    // Names are known and each stands once, so fewer than all means that one is missing.
    if (inputs.length < checks.length) throw inputMissing(names, inputs);
    return {
      inputs,
      rows: sizes.rows === 0 ? 1 : sizes.rows,
      length: sizes.length,
      outputs: outputsOf(request, outputNames),
    };
  };
}

type InputCheck = {
  readonly name: string;
  readonly datatype: string;
  readonly shape: TensorSignature['shape'];
  readonly limits: Manifest['limits'];
  readonly data: DataCheck | undefined;
};

/** What the inputs seen so far say of free dimensions. `rows` is 0 until one had a free first dimension. */
type Sizes = { rows: number; length: number; named: Map<string, number> | undefined; readonly sameRows: boolean };

function compileInput(input: TensorSignature, manifest: Manifest): InputCheck {
  const rules: InputRules = Object.hasOwn(manifest.inputs, input.name) ? (manifest.inputs[input.name] ?? {}) : {};
  const { name, datatype, shape } = input;
  return { name, datatype, shape, limits: manifest.limits, data: compileDataCheck(datatype, rules) };
}

function checkHeader(check: InputCheck, tensor: Tensor, at: number, sizes: Sizes): void {
  if (tensor.datatype !== check.datatype) {
    const field = `inputs[${at}].datatype`;
    throw new Failure('datatype-mismatch', { field, expected: check.datatype, got: tensor.datatype });
  }
  const { shape } = tensor;
  if (shape.length !== check.shape.length) throw shapeMismatch(check, tensor, at, 'wrong number of dimensions');
  for (let d = 0; d < shape.length; d += 1) {
    const expected = check.shape[d]!;
    const size = shape[d]!;
    if (typeof expected === 'string') checkFree(check, tensor, { at, d, name: expected }, sizes);
    else if (size !== expected) throw shapeMismatch(check, tensor, at, `dimension ${d} must be ${expected}`);
  }
}

type FreeDimension = { readonly at: number; readonly d: number; readonly name: string };

function checkFree(check: InputCheck, tensor: Tensor, { at, d, name }: FreeDimension, sizes: Sizes): void {
  const size = tensor.shape[d]!;
  if (size === 0) throw shapeMismatch(check, tensor, at, `dimension ${d} must not be 0`);
  const limit = d === 0 ? check.limits.maxRows : check.limits.maxLength;
  if (size > limit) {
    const what = d === 0 ? 'rows' : `dimension ${d}`;
    throw new Failure('input-too-large', {
      field: `inputs[${at}].shape`,
      limit,
      got: size,
      detail: `${what} of ${check.name} may be at most ${limit}`,
    });
  }
  if (d === 0) {
    if (sizes.sameRows && sizes.rows !== 0 && sizes.rows !== size) {
      throw shapeMismatch(check, tensor, at, `dimension 0 must be ${sizes.rows} as in the inputs before it`);
    }
    if (size > sizes.rows) sizes.rows = size;
  } else if (size > sizes.length) {
    sizes.length = size;
  }
  if (name !== '') agree(check, tensor, { at, d, name }, sizes);
}

/** Free dimensions of one name have one size in a request. */
function agree(check: InputCheck, tensor: Tensor, { at, d, name }: FreeDimension, sizes: Sizes): void {
  const size = tensor.shape[d]!;
  sizes.named ??= new Map();
  const before = sizes.named.get(name);
  if (before === undefined) sizes.named.set(name, size);
  else if (before !== size) {
    throw shapeMismatch(check, tensor, at, `dimension ${d} (${name}) must be ${before} as where it stood before`);
  }
}

function shapeMismatch(check: InputCheck, tensor: Tensor, at: number, detail: string): Failure {
  const expected = check.shape.map((dimension) => (typeof dimension === 'string' ? -1 : dimension));
  return new Failure('shape-mismatch', {
    field: `inputs[${at}].shape`,
    expected: JSON.stringify(expected),
    got: JSON.stringify(tensor.shape),
    detail,
  });
}

function inputMissing(names: readonly string[], inputs: readonly Tensor[]): Failure {
  const missing = names.filter((name) => !inputs.some((tensor) => tensor.name === name));
  return new Failure('input-missing', { field: 'inputs', missing });
}

function outputsOf(request: InferRequest, known: readonly string[]): readonly string[] | undefined {
  if (request.outputs === undefined) return undefined;
  return request.outputs.map(({ name }, i) => {
    if (!known.includes(name)) throw new Failure('output-unknown', { field: `outputs[${i}].name`, known });
    return name;
  });
}
