import type { Tensor } from '../inference/tensor.ts';
import type { ModelVersion } from '../models/version.ts';
import { countCharacters } from './character-class.ts';
import { CHARACTER_CLASSES, type InputProfile, MOST_INPUTS, profileIn } from './input-profile.ts';
import { SignedSketch } from './signed-sketch.ts';
import { Sketch } from './sketch.ts';

/** Elements of a row that are looked at, evenly over it: 64 rows of as many are 2,048 values, 0.2 ms in a window. */
const MOST_ELEMENTS = 32;
/** UTF-16 code units of a text whose characters are counted. */
const MOST_UNITS = 500;
/** Longest text that is accepted where the manifest says nothing. */
const DEFAULT_TEXT_LENGTH = 10_000;

/** Adds the first `most` rows of a request of `rows`, as the graph takes them, to the profiles of its inputs. */
export type InputProfiler = (
  inputs: readonly Tensor[],
  rows: number,
  most: number,
  into: Map<string, InputProfile>,
) => void;

type Described = Pick<ModelVersion, 'signature' | 'manifest'> & Pick<Partial<ModelVersion>, 'graphSignature'>;
type RowProfiler = (tensor: Tensor, rows: number, most: number, into: Map<string, InputProfile>) => void;

/**
 * How a version's inputs are profiled, worked out once.
 *
 * - Text by its length and its characters; empty text, or nothing but spaces, is missing.
 * - What a tokenizer made of a text by the number of its tokens, under the name of the text; its ids say nothing.
 * - Numbers by their values: of inputs of 2 to 16 fixed columns each column by itself, as `name[0]`, else all of an input together, 32 elements of a
 *   row at most. A row with an element that is no finite number is missing.
 * - At most 16 profiles, the first in the order of the signature.
 */
export function compileInputProfiler({ signature, graphSignature, manifest }: Described): InputProfiler {
  const profilers = new Map<string, RowProfiler>();
  const { tokenizer } = manifest;
  let room = MOST_INPUTS;
  for (const { name, datatype, shape } of (graphSignature ?? signature).inputs) {
    if (tokenizer !== undefined && [tokenizer.mask, tokenizer.typeIds].includes(name)) continue;
    const columns = shape.length === 2 ? shape[1] : 1;
    const width = typeof columns === 'number' && columns > 1 && columns <= room ? columns : 1;
    if (room < width) break;
    room -= width;
    if (tokenizer !== undefined && name === tokenizer.ids)
      profilers.set(
        tokenizer.mask ?? name,
        tokenProfiler(tokenizer.input, tokenizer.mask !== undefined, tokenizer.maxTokens),
      );
    else if (datatype === 'BYTES')
      profilers.set(name, textProfiler(name, manifest.inputs[name]?.maxLength ?? DEFAULT_TEXT_LENGTH));
    else if (width > 1) profilers.set(name, columnProfiler(name, width));
    else profilers.set(name, numberProfiler(name, typeof columns === 'string' ? manifest.limits.maxLength : undefined));
  }
  return (inputs, rows, most, into) => {
    for (const tensor of inputs) profilers.get(tensor.name)?.(tensor, rows, Math.min(most, rows), into);
  };
}

function textProfiler(name: string, maxLength: number): RowProfiler {
  return ({ data }, rows, most, into) => {
    const profile = profileIn(into, name);
    if (profile === undefined) return;
    profile.lengths ??= new Sketch();
    profile.classes ??= CHARACTER_CLASSES.map(() => 0);
    const end = most * Math.floor(data.length / rows);
    profile.rows += most;
    for (let at = 0; at < end; at += 1) {
      const text = String(data[at]);
      profile.lengths.add(text.length);
      if (text.trim() === '') profile.missing += 1;
      if (text.length >= maxLength) profile.tooLong += 1;
      countCharacters(profile.classes, text, MOST_UNITS);
    }
  };
}

/** Of a mask the ones are tokens; of ids all are, those that fill shorter rows of a request too. */
function tokenProfiler(name: string, isMask: boolean, maxTokens: number): RowProfiler {
  return ({ data }, rows, most, into) => {
    const profile = profileIn(into, name);
    if (profile === undefined) return;
    profile.lengths ??= new Sketch();
    const width = data.length / rows;
    for (let row = 0; row < most; row += 1) {
      let tokens = isMask ? 0 : width;
      if (isMask) for (let at = row * width; at < (row + 1) * width; at += 1) tokens += Number(data[at]);
      profile.rows += 1;
      profile.lengths.add(tokens);
      if (tokens >= maxTokens) profile.tooLong += 1;
    }
  };
}

function columnProfiler(name: string, width: number): RowProfiler {
  const names = Array.from({ length: width }, (_, column) => `${name}[${column}]`);
  return ({ data }, _, most, into) => {
    for (let column = 0; column < width; column += 1) {
      const profile = profileIn(into, names[column]!);
      if (profile === undefined) continue;
      profile.values ??= new SignedSketch();
      profile.rows += most;
      for (let row = 0; row < most; row += 1)
        if (!addNumber(profile.values, data[row * width + column])) profile.missing += 1;
    }
  };
}

function numberProfiler(name: string, maxLength: number | undefined): RowProfiler {
  return ({ data }, rows, most, into) => {
    const profile = profileIn(into, name);
    if (profile === undefined) return;
    profile.values ??= new SignedSketch();
    const width = Math.floor(data.length / rows);
    const step = Math.max(1, Math.ceil(width / MOST_ELEMENTS));
    for (let row = 0; row < most; row += 1) {
      let isWhole = true;
      for (let at = row * width; at < (row + 1) * width; at += step)
        isWhole = addNumber(profile.values, data[at]) && isWhole;
      profile.rows += 1;
      if (!isWhole) profile.missing += 1;
      if (maxLength !== undefined && width >= maxLength) profile.tooLong += 1;
    }
  };
}

function addNumber(values: SignedSketch, element: unknown): boolean {
  const value = Number(element);
  if (!Number.isFinite(value)) return false;
  values.add(value);
  return true;
}
