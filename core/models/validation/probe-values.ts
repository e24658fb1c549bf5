import type { Datatype } from '../../inference/tensor.ts';
import type { InputRules } from '../manifest.ts';

/** An element of a tensor. */
export type Value = number | bigint | string;

/** A value at the edge of what an input may hold, and what excludes it. */
export type ProbeValue = {
  /** For people. */
  readonly what: string;
  readonly value: Value;
  /** The rule of the manifest that would keep it out; undefined where there is none. */
  readonly rule: 'min' | 'max' | 'maxLength' | undefined;
};

/** FP16 inputs are refused before they are probed. */
const FLOAT_MAX = { FP32: (2 - 2 ** -23) * 2 ** 127, FP64: Number.MAX_VALUE };
const FLOAT_TINY = { FP32: 2 ** -149, FP64: Number.MIN_VALUE };
const DEFAULT_MAX_CHARACTERS = 10_000;

/**
 * What has broken models before, the worst first: the type's ends, -1 and 0 (divisors, indices), the manifest's own bounds,
 * denormals, empty and longest texts, characters beyond the basic plane. Values that rules or type exclude are left out.
 */
export function probeValues(datatype: Datatype, rules: InputRules): readonly ProbeValue[] {
  if (datatype === 'BYTES') return texts(rules.maxLength ?? DEFAULT_MAX_CHARACTERS);
  if (datatype === 'BOOL') return [whole('false', 0n), whole('true', 1n)];
  if (datatype === 'FP32' || datatype === 'FP64') return floats(datatype, rules);
  return wholes(datatype, rules);
}

/** Least and greatest value of a whole-number type. */
export function rangeOf(datatype: Datatype): [least: bigint, greatest: bigint] {
  if (datatype === 'BOOL') return [0n, 1n];
  const bits = BigInt(/\d+$/.exec(datatype)?.[0] ?? 64);
  return datatype.startsWith('U') ? [0n, 2n ** bits - 1n] : [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n];
}

function wholes(datatype: Datatype, { min, max }: InputRules): ProbeValue[] {
  const [least, greatest] = rangeOf(datatype);
  const low = min === undefined ? least : clamp(BigInt(Math.ceil(min)), least, greatest);
  const high = max === undefined ? greatest : clamp(BigInt(Math.floor(max)), least, greatest);
  const candidates = [
    whole(low === least ? `the least ${datatype} (${least})` : `min (${low})`, low),
    whole(high === greatest ? `the greatest ${datatype} (${greatest})` : `max (${high})`, high),
    whole('-1', -1n),
    whole('0', 0n),
    whole('1', 1n),
    whole('2^31', 2n ** 31n),
    whole('1,000,000', 1_000_000n),
  ];
  const known = new Set<bigint>();
  return candidates.filter(({ value }) => {
    const fits = value >= low && value <= high && !known.has(value);
    known.add(value);
    return fits;
  });
}

function whole(what: string, value: bigint): ProbeValue & { readonly value: bigint } {
  return { what, value, rule: value <= 0n ? 'min' : 'max' };
}

function floats(datatype: 'FP32' | 'FP64', { min, max }: InputRules): ProbeValue[] {
  const most = FLOAT_MAX[datatype];
  const tiny = FLOAT_TINY[datatype];
  const low = Math.max(min ?? -most, -most);
  const high = Math.min(max ?? most, most);
  const candidates: ProbeValue[] = [
    { what: max === undefined ? `the greatest ${datatype}` : `max (${high})`, value: high, rule: 'max' },
    { what: min === undefined ? `the least ${datatype}` : `min (${low})`, value: low, rule: 'min' },
    { what: '0', value: 0, rule: 'min' },
    { what: '-0', value: -0, rule: 'min' },
    { what: '-1', value: -1, rule: 'min' },
    { what: 'the least denormal', value: tiny, rule: 'min' },
    { what: '10^18', value: 1e18, rule: 'max' },
  ];
  return candidates.filter(
    ({ value }, at) =>
      Number(value) >= low &&
      Number(value) <= high &&
      candidates.findIndex((candidate) => Object.is(candidate.value, value)) === at,
  );
}

/** NUL characters and lone surrogates are no text to the gateway (elements.ts), so no model ever meets them. */
function texts(maxLength: number): ProbeValue[] {
  const candidates: ProbeValue[] = [
    { what: 'an empty text', value: '', rule: undefined },
    { what: 'a space', value: ' ', rule: undefined },
    { what: `a word of ${maxLength} letters`, value: 'a'.repeat(maxLength), rule: 'maxLength' },
    {
      what: `${maxLength} characters of short words`,
      value: 'to be '.repeat(maxLength).slice(0, maxLength),
      rule: 'maxLength',
    },
    { what: 'emoji to the longest length', value: '\u{1F600}'.repeat(Math.floor(maxLength / 2)), rule: 'maxLength' },
    { what: 'control characters', value: '\u0001\t\r\n\u007f', rule: undefined },
    { what: 'combining characters', value: `e${'\u0301'.repeat(20)}`, rule: undefined },
    {
      what: 'right-to-left and joined letters',
      value: '\u200f\u0645\u0631\u062d\u0628\u0627 \u0915\u094d\u0937',
      rule: undefined,
    },
    { what: 'a byte-order mark and a replacement character', value: '\ufeff\ufffd', rule: undefined },
    { what: 'digits and punctuation only', value: '0123456789 .,;:!?()[]{}<>@#$%^&*', rule: undefined },
  ];
  return candidates.filter(({ value }) => String(value).length <= maxLength);
}

function clamp(value: bigint, low: bigint, high: bigint): bigint {
  return value < low ? low : value > high ? high : value;
}
