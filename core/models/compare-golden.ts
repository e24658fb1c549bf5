import type { Tensor } from '../inference/tensor.ts';
import type { Manifest } from './manifest.ts';

export type Comparison =
  | { readonly kind: 'agrees'; readonly largestDifference: number }
  | {
      readonly kind: 'differs';
      /** Names output and element, never a value. */
      readonly reason: string;
      /** How many times the tolerance the difference is, where it is one of finite numbers and there is a tolerance. */
      readonly timesTolerance?: number;
    };

/**
 * Whether a model's outputs are the golden ones. Numbers agree within `tolerance`, NaN with NaN, infinities and text only with
 * themselves. Compared are elements in order, as many as expected: exporters write scalars as [1] or [1, 1] and floats in
 * another width than the runtime's. Outputs that the golden pair does not name are not looked at.
 */
export function compareGolden(
  expected: readonly Tensor[],
  got: readonly Tensor[],
  tolerance: Manifest['tolerance'],
): Comparison {
  let largestDifference = 0;
  for (const tensor of expected) {
    const answer = got.find((candidate) => candidate.name === tensor.name);
    if (answer === undefined) return differs(tensor.name, 'the model has no such output');
    const comparison = compareTensor(tensor, answer, tolerance);
    if (comparison.kind === 'differs') return comparison;
    largestDifference = Math.max(largestDifference, comparison.largestDifference);
  }
  return { kind: 'agrees', largestDifference };
}

function compareTensor(expected: Tensor, got: Tensor, tolerance: Manifest['tolerance']): Comparison {
  const { name } = expected;
  if (expected.data.length !== got.data.length) {
    return differs(name, `shape [${got.shape}] where [${expected.shape}] was expected`);
  }
  if ((expected.datatype === 'BYTES') !== (got.datatype === 'BYTES')) {
    return differs(name, `${got.datatype} where ${expected.datatype} was expected`);
  }
  let largestDifference = 0;
  let worst = { at: -1, times: 0 };
  for (let at = 0; at < expected.data.length; at += 1) {
    const want = expected.data[at]!;
    const have = got.data[at]!;
    if (typeof want === 'string' || typeof have === 'string') {
      if (want === have) continue;
      return differs(name, `another text at element ${at}`);
    }
    const difference = differenceOf(expected, want, got, have);
    const limit = tolerance.absolute + tolerance.relative * Math.abs(number(expected, want));
    if (difference > limit || difference === Number.POSITIVE_INFINITY) {
      // Infinite for what is not finite and where no difference is tolerated.
      const times = Number.isFinite(difference) ? difference / limit : difference;
      if (times > worst.times) worst = { at, times };
    }
    largestDifference = Math.max(largestDifference, difference);
  }
  return worst.at === -1 ? { kind: 'agrees', largestDifference } : beyond(name, worst);
}

function beyond(output: string, { at, times }: { readonly at: number; readonly times: number }): Comparison {
  const reason = `${output}: another value at element ${at}, beyond the tolerance`;
  return { kind: 'differs', reason, ...(Number.isFinite(times) && { timesTolerance: times }) };
}

/** |got − expected|; 0 for NaN and NaN, infinite if one of them is not finite and the other differs. */
function differenceOf(expected: Tensor, want: number | bigint, got: Tensor, have: number | bigint): number {
  // Whole numbers beyond 2^53 differ by less than a float could tell.
  if (typeof want === 'bigint' && typeof have === 'bigint') return Math.abs(Number(have - want));
  const wanted = number(expected, want);
  const had = number(got, have);
  if (wanted === had || Object.is(wanted, had)) return 0;
  const difference = Math.abs(had - wanted);
  return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
}

/** FP16 is held as its bit pattern. */
function number(tensor: Tensor, element: number | bigint): number {
  if (tensor.datatype !== 'FP16') return Number(element);
  return new Float16Array(Uint16Array.of(Number(element)).buffer)[0]!;
}

function differs(output: string, what: string): Comparison {
  return { kind: 'differs', reason: `${output}: ${what}` };
}
