import { decodeElements } from '../api/elements.ts';
import { Failure } from '../failure.ts';
import { elementCount, type TensorData } from '../inference/tensor.ts';
import type { Fallback } from './manifest.ts';
import type { Signature, TensorSignature } from './signature.ts';

type FixedOutputs = Extract<Fallback, { outputs: unknown }>['outputs'];

/** One output of a fixed answer: `row` is repeated for each row of the request where `isPerRow`, else it is all of it. */
type FixedOutput = {
  readonly isPerRow: boolean;
  /** Dimensions of a row; of the whole output where it has no rows. */
  readonly shape: readonly number[];
  readonly row: TensorData;
};

/**
 * The elements that a manifest gives for an output, as the signature has them, or what is wrong with them. A first dimension
 * that is free counts rows; another free one is as long as the elements fill it, and there may be one such.
 */
export function toFixedOutput(output: TensorSignature, elements: FixedOutputs[string]): FixedOutput | string {
  const isPerRow = typeof output.shape[0] === 'string';
  const dimensions = isPerRow ? output.shape.slice(1) : output.shape;
  const free = dimensions.filter((dimension) => typeof dimension === 'string').length;
  const fixed = elementCount(dimensions.filter((dimension) => typeof dimension === 'number'));
  if (free > 1) return 'has several free dimensions, so that its elements fit no one shape';
  if (free === 0 && elements.length !== fixed) return `takes ${fixed} elements, not ${elements.length}`;
  if (free === 1 && (fixed === 0 || elements.length % fixed !== 0)) {
    return `takes a multiple of ${fixed} elements, not ${elements.length}`;
  }
  const shape = dimensions.map((dimension) => (typeof dimension === 'number' ? dimension : elements.length / fixed));
  try {
    return { isPerRow, shape, row: decodeElements(output.datatype, [elements.length], elements, 'elements') };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return `element ${error.facts.index} is no ${output.datatype}`;
  }
}

/** Everything that is wrong with a manifest's fixed answer; none if it can be given. */
export function fixedOutputProblems(outputs: FixedOutputs, signature: Signature): string[] {
  const problems: string[] = [];
  const known = signature.outputs.map(({ name }) => name);
  for (const name of Object.keys(outputs)) {
    if (!known.includes(name)) problems.push(`${name}: the model has no such output; it has ${known.join(', ')}`);
  }
  for (const output of signature.outputs) {
    const elements = Object.hasOwn(outputs, output.name) ? outputs[output.name] : undefined;
    const found =
      elements === undefined ? 'is missing: a fixed answer has every output' : toFixedOutput(output, elements);
    if (typeof found === 'string') problems.push(`${output.name}: ${found}`);
  }
  return problems.map((problem) => `fallback.outputs.${problem}`);
}
