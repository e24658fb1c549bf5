import { SignedSketch } from './signed-sketch.ts';
import { Sketch } from './sketch.ts';

/** Inputs of a version that are profiled, the first by name. 16 × two sketches of up to 1.4 KB is what an item has room for. */
export const MOST_INPUTS = 16;

/** Kinds of characters, in the order of `InputProfile.classes`. */
export const CHARACTER_CLASSES = [
  'latin',
  'other-letters',
  'digits',
  'spaces',
  'punctuation',
  'symbols',
  'other',
] as const;
export type CharacterClass = (typeof CHARACTER_CLASSES)[number];

/** What a sample of the rows of one input was like: of numbers `values`, of text `lengths` and `classes`, of token ids `lengths` in tokens. */
export type InputProfile = {
  /** Rows that were looked at. */
  rows: number;
  /** Rows without content: empty text, or a number that is none. */
  missing: number;
  /** Rows as long as the manifest allows: the longest that are accepted, or cut. Longer ones are refused as `input-too-large`. */
  tooLong: number;
  values: SignedSketch | undefined;
  /** In UTF-16 code units, or tokens. */
  lengths: Sketch | undefined;
  /** Characters by kind, in the order of CHARACTER_CLASSES. */
  classes: number[] | undefined;
};

/** The profile of an input, added if nothing of it was seen yet; undefined: it is not among the first `MOST_INPUTS` by name. */
export function profileIn(inputs: Map<string, InputProfile>, name: string): InputProfile | undefined {
  const found = inputs.get(name);
  if (found !== undefined) return found;
  const added = emptyProfile();
  inputs.set(name, added);
  if (inputs.size <= MOST_INPUTS) return added;
  const last = [...inputs.keys()].reduce((a, b) => (a > b ? a : b));
  inputs.delete(last);
  return last === name ? undefined : added;
}

/** Adds what another sample saw, which stays as it is. Of more than `MOST_INPUTS` the first by name are kept: so every order gives the same. */
export function mergeProfiles(merged: Map<string, InputProfile>, part: ReadonlyMap<string, InputProfile>): void {
  for (const [name, seen] of part) {
    const profile = profileIn(merged, name);
    if (profile !== undefined) mergeProfile(profile, seen);
  }
}

function emptyProfile(): InputProfile {
  return { rows: 0, missing: 0, tooLong: 0, values: undefined, lengths: undefined, classes: undefined };
}

function mergeProfile(merged: InputProfile, { rows, missing, tooLong, values, lengths, classes }: InputProfile): void {
  merged.rows += rows;
  merged.missing += missing;
  merged.tooLong += tooLong;
  if (values !== undefined) {
    merged.values ??= new SignedSketch();
    merged.values.merge(values);
  }
  if (lengths !== undefined) {
    merged.lengths ??= new Sketch();
    merged.lengths.merge(lengths);
  }
  if (classes !== undefined) {
    merged.classes ??= CHARACTER_CLASSES.map(() => 0);
    for (const [at, count] of classes.entries()) merged.classes[at]! += count;
  }
}
