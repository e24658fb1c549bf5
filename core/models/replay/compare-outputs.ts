import type { Tensor } from '../../inference/tensor.ts';
import type { Manifest } from '../manifest.ts';
import { floatsOf, isFloat } from '../validation/outputs.ts';

/** How one output differs for one input. */
export type OutputDifference = { readonly name: string; readonly agrees: boolean } & (
  | { readonly kind: 'numbers'; readonly largest: number }
  | { readonly kind: 'labels'; readonly labels: number; readonly changes: readonly (readonly [string, string])[] }
  | { readonly kind: 'incomparable'; readonly of: 'numbers' | 'labels' }
);

/**
 * Every output of the first version against the second's of that name. Floats agree within the tolerance, NaN with NaN and
 * infinities with themselves; texts, whole numbers and booleans are labels and agree if they are the same. Outputs that only the
 * second version has are not looked at.
 */
export function compareOutputs(
  from: readonly Tensor[],
  to: readonly Tensor[],
  tolerance: Manifest['tolerance'],
): OutputDifference[] {
  return from.map((output) => {
    const other = to.find(({ name }) => name === output.name);
    const of = isFloat(output) ? 'numbers' : 'labels';
    const comparable =
      other !== undefined && other.shape.join() === output.shape.join() && isFloat(other) === isFloat(output);
    if (!comparable) return { kind: 'incomparable', of, name: output.name, agrees: false };
    return isFloat(output) ? compareNumbers(output, other, tolerance) : compareLabels(output, other);
  });
}

function compareNumbers(from: Tensor, to: Tensor, tolerance: Manifest['tolerance']): OutputDifference {
  const { name } = from;
  const [before, after] = [floatsOf(from), floatsOf(to)];
  let largest = 0;
  let agrees = true;
  for (let at = 0; at < before.length; at += 1) {
    const [a, b] = [before[at]!, after[at]!];
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    const difference = Math.abs(b - a);
    if (!Number.isFinite(difference)) return { kind: 'incomparable', of: 'numbers', name, agrees: false };
    largest = Math.max(largest, difference);
    if (difference > tolerance.absolute + tolerance.relative * Math.abs(a)) agrees = false;
  }
  return { kind: 'numbers', name, agrees, largest };
}

function compareLabels(from: Tensor, to: Tensor): OutputDifference {
  const changes: [string, string][] = [];
  for (let at = 0; at < from.data.length; at += 1) {
    const [before, after] = [String(from.data[at]), String(to.data[at])];
    if (before !== after) changes.push([before, after]);
  }
  return { kind: 'labels', name: from.name, agrees: changes.length === 0, labels: from.data.length, changes };
}
