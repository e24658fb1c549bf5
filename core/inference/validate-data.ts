import { Failure } from '../failure.ts';
import type { InputRules } from '../models/manifest.ts';
import type { Datatype, TensorData } from './tensor.ts';

/** Throws naming `inputs[at].data` and the element if one is not what the manifest allows. */
export type DataCheck = (data: TensorData, at: number) => void;

const DEFAULT_MAX_CHARACTERS = 10_000;

/** The loop over the elements that the rules ask for, or undefined if every element will do. Failures never quote a value. */
export function compileDataCheck(datatype: Datatype, rules: InputRules): DataCheck | undefined {
  const { min, max } = rules;
  if (datatype === 'BYTES') return checkLengths(rules.maxLength ?? DEFAULT_MAX_CHARACTERS);
  if (datatype === 'INT64' || datatype === 'UINT64') {
    return min === undefined && max === undefined ? undefined : checkBigRange(min, max);
  }
  if (datatype === 'FP16' || datatype === 'FP32' || datatype === 'FP64') {
    return checkFloats(min, max, { half: datatype === 'FP16', finite: rules.allowNotFinite !== true });
  }
  return min === undefined && max === undefined ? undefined : checkRange(min, max);
}

function checkLengths(maxCharacters: number): DataCheck {
  return (data, at) => {
    const texts = data as string[];
    for (let i = 0; i < texts.length; i += 1) {
      if (texts[i]!.length > maxCharacters) {
        const detail = `the text has more than ${maxCharacters} characters`;
        throw new Failure('text-invalid', { field: `inputs[${at}].data`, index: i, maxLength: maxCharacters, detail });
      }
    }
  };
}

type Kind = { readonly half: boolean; readonly finite: boolean };

/** NaN, where it is allowed, is inside every range: it is the model's word for "not known". */
function checkFloats(min: number | undefined, max: number | undefined, { half, finite }: Kind): DataCheck | undefined {
  const low = min ?? Number.NEGATIVE_INFINITY;
  const high = max ?? Number.POSITIVE_INFINITY;
  if (!finite && min === undefined && max === undefined) return undefined;
  return (data, at) => {
    const values = half ? halves(data as Uint16Array) : (data as Float32Array | Float64Array);
    for (let i = 0; i < values.length; i += 1) {
      const value = values[i]!;
      // A difference that is 0 only for finite numbers: NaN and infinities give NaN.
      if (finite && value - value !== 0)
        throw new Failure('value-not-finite', { field: `inputs[${at}].data`, index: i });
      if (value < low || value > high) throw outOfRange(at, i, min, max);
    }
  };
}

function halves(bits: Uint16Array): Float16Array {
  return new Float16Array(bits.buffer, bits.byteOffset, bits.length);
}

function checkRange(min: number | undefined, max: number | undefined): DataCheck {
  const low = min ?? Number.NEGATIVE_INFINITY;
  const high = max ?? Number.POSITIVE_INFINITY;
  return (data, at) => {
    const values = data as Int32Array;
    for (let i = 0; i < values.length; i += 1) {
      const value = values[i]!;
      if (value < low || value > high) throw outOfRange(at, i, min, max);
    }
  };
}

const LEAST_INT64 = -(2n ** 63n);
const GREATEST_UINT64 = 2n ** 64n - 1n;

function checkBigRange(min: number | undefined, max: number | undefined): DataCheck {
  const low = min === undefined ? LEAST_INT64 : BigInt(Math.ceil(min));
  const high = max === undefined ? GREATEST_UINT64 : BigInt(Math.floor(max));
  return (data, at) => {
    const values = data as BigInt64Array;
    for (let i = 0; i < values.length; i += 1) {
      const value = values[i]!;
      if (value < low || value > high) throw outOfRange(at, i, min, max);
    }
  };
}

function outOfRange(at: number, index: number, min: number | undefined, max: number | undefined): Failure {
  return new Failure('value-out-of-range', {
    field: `inputs[${at}].data`,
    index,
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
  });
}
