import type { Manifest } from './manifest.ts';
import type { Signature, TensorSignature } from './signature.ts';

/**
 * Everything that keeps `target`, the stable version of the model that a manifest names as its fallback, from answering for
 * this one; none if there is no such. It must take all that this model takes, and give every output that it gives, of
 * the same datatype: lengths may differ, as those of a smaller model do.
 */
export function checkFallbackModel(manifest: Manifest, signature: Signature, target: Signature): string[] {
  const { fallback } = manifest;
  if (fallback === undefined || !('model' in fallback)) return [];
  const where = `fallback.model: ${fallback.model}`;
  return [...inputProblems(signature.inputs, target.inputs), ...outputProblems(signature.outputs, target.outputs)].map(
    (problem) => `${where} ${problem}`,
  );
}

function* inputProblems(own: readonly TensorSignature[], theirs: readonly TensorSignature[]): Iterable<string> {
  for (const { name } of theirs) {
    if (!own.some((input) => input.name === name)) yield `needs an input ${name} that this model has not`;
  }
  for (const input of own) {
    const taken = theirs.find(({ name }) => name === input.name);
    if (taken === undefined) yield `has no input ${input.name}`;
    else if (taken.datatype !== input.datatype) yield `takes ${input.name} as ${taken.datatype}, not ${input.datatype}`;
    else if (!takesShape(taken, input)) {
      yield `takes ${input.name} as [${taken.shape.join(', ')}], not [${input.shape.join(', ')}]`;
    }
  }
}

function* outputProblems(own: readonly TensorSignature[], theirs: readonly TensorSignature[]): Iterable<string> {
  for (const output of own) {
    const given = theirs.find(({ name }) => name === output.name);
    if (given === undefined) yield `has no output ${output.name}`;
    else if (given.datatype !== output.datatype) {
      yield `gives ${output.name} as ${given.datatype}, not ${output.datatype}`;
    }
  }
}

/** A free dimension takes every length. */
function takesShape(taken: TensorSignature, sent: TensorSignature): boolean {
  return (
    taken.shape.length === sent.shape.length &&
    taken.shape.every((dimension, at) => typeof dimension === 'string' || dimension === sent.shape[at])
  );
}
