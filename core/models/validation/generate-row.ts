import { allocate, type Datatype, elementCount, type Tensor, type TensorData } from '../../inference/tensor.ts';
import { seededRandom } from '../../seeded-random.ts';
import type { InputRules, Manifest } from '../manifest.ts';
import type { Signature, TensorSignature } from '../signature.ts';
import type { Row } from './rows.ts';

/** What people write: several scripts, lengths and kinds of word, so that tokenizers and vocabularies have something to find. */
const TEXTS = [
  'The new dashboard is great, thank you!',
  'I cannot log in since the update of last night.',
  'Bitte kündigen Sie mein Abonnement zum Monatsende.',
  'My card was charged twice: 49.99 on 3 May and again on 4 May.',
  'ok',
  'Où est ma commande ? Elle devait arriver hier.',
  'How do I export 12,000 rows as CSV without losing the header?',
  'サーバーが応答しません。',
  'terrible support, I waited forty minutes and nobody answered the phone',
  'Привет! Не могу сбросить пароль.',
  'Please refund order #A-1029/7 to user@example.com.',
  '请问如何更改我的邮箱地址？',
];

/** Whole numbers without bounds of their own: small, as most ids and counts are. */
const SPAN = 9;
/** Features are standardized or not: each row has a scale of its own. */
const SCALES = [1, 10, 0.1, 100];

/**
 * A row that the manifest's rules let through, different for each `seed`: whole numbers within `min` and `max`, else 0 to 9;
 * other numbers within theirs, else normally distributed; text as people write it. Free dimensions after the first are `length`.
 */
export function generateRow(signature: Signature, manifest: Manifest, seed: number, length: number): Row {
  const random = seededRandom(seed);
  return signature.inputs.map((input) => {
    const rules = Object.hasOwn(manifest.inputs, input.name) ? (manifest.inputs[input.name] ?? {}) : {};
    return generateTensor(input, rules, { seed, random, length });
  });
}

type Source = { readonly seed: number; readonly random: () => number; readonly length: number };

function generateTensor(
  { name, datatype, shape: dimensions }: TensorSignature,
  rules: InputRules,
  source: Source,
): Tensor {
  const shape = dimensions.map((size, axis) => (typeof size === 'number' ? size : axis === 0 ? 1 : source.length));
  const data = allocate(datatype, elementCount(shape));
  const isMask = dimensions.length > 1 && typeof dimensions[1] === 'string' && rules.min === 0 && rules.max === 1;
  if (Array.isArray(data)) fillTexts(data, rules, source);
  else if (datatype.startsWith('FP')) fillFloats(data as Float32Array, rules, source);
  // A mask of random zeros hides everything at times: what a row without padding has is ones.
  else if (isMask) fillWhole(data, 1, 1, source);
  else fillWhole(data, ...boundsOf(datatype, rules), source);
  return { name, datatype, shape, data };
}

function fillTexts(data: string[], { maxLength = 10_000 }: InputRules, { seed }: Source): void {
  for (let at = 0; at < data.length; at += 1) data[at] = TEXTS[(seed + at) % TEXTS.length]!.slice(0, maxLength);
}

/** FP16 inputs are refused before anything is fed. */
function fillFloats(values: Float32Array, { min, max }: InputRules, { seed, random }: Source): void {
  const low = min ?? Number.NEGATIVE_INFINITY;
  const high = max ?? Number.POSITIVE_INFINITY;
  const scale = SCALES[seed % SCALES.length]!;
  for (let at = 0; at < values.length; at += 1) {
    const value = floatWithin(min, max, scale, random);
    // Rounded to the element's width a bound may be passed by a hair.
    values[at] = Math.min(Math.max(value, low), high);
    if (values[at]! < low || values[at]! > high) values[at] = 0.5 * (low + high);
  }
}

function floatWithin(min: number | undefined, max: number | undefined, scale: number, random: () => number): number {
  if (min !== undefined && max !== undefined) return min + (max - min) * random();
  const distance = scale * normal(random);
  if (min !== undefined) return min + Math.abs(distance);
  return max === undefined ? distance : max - Math.abs(distance);
}

/** Box and Muller's. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function fillWhole(data: Exclude<TensorData, string[]>, low: number, high: number, { random }: Pick<Source, 'random'>) {
  for (let at = 0; at < data.length; at += 1) {
    const value = Math.min(high, low + Math.floor(random() * (high - low + 1)));
    data[at] = data instanceof BigInt64Array || data instanceof BigUint64Array ? BigInt(value) : value;
  }
}

function boundsOf(datatype: Datatype, { min, max }: InputRules): [low: number, high: number] {
  if (datatype === 'BOOL') return [Math.ceil(min ?? 0), Math.floor(max ?? 1)];
  const low = Math.ceil(min ?? Math.min(0, Math.floor(max ?? 0)));
  const high = Math.floor(max ?? low + SPAN);
  // Beyond 2^53 a float cannot count.
  return [Math.max(low, Number.MIN_SAFE_INTEGER), Math.min(high, Number.MAX_SAFE_INTEGER)];
}
