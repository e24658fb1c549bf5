import { CHARACTER_CLASSES, type CharacterClass } from './input-profile.ts';

/** In this order: a Latin letter is a letter too. Combining marks and joiners belong to the letters of other scripts. */
const PATTERNS: readonly (readonly [RegExp, CharacterClass])[] = [
  [/^\p{Script=Latin}$/u, 'latin'],
  [/^[\p{L}\p{M}]$/u, 'other-letters'],
  [/^\p{N}$/u, 'digits'],
  [/^\s$/u, 'spaces'],
  [/^\p{P}$/u, 'punctuation'],
  [/^[\p{S}\p{Extended_Pictographic}]$/u, 'symbols'],
];
const OTHER = CHARACTER_CLASSES.indexOf('other');
/** Code points below are looked up, worked out once each; 0: not yet. */
const LOOKED_UP = 0x10000;
const known = new Uint8Array(LOOKED_UP);

/** Counts the characters of a text's first `most` UTF-16 code units by class, in the order of CHARACTER_CLASSES. */
export function countCharacters(counts: number[], text: string, most: number): void {
  const end = Math.min(text.length, most);
  for (let at = 0; at < end; at += 1) {
    const code = text.codePointAt(at)!;
    if (code >= LOOKED_UP) at += 1;
    counts[classOf(code)]! += 1;
  }
}

function classOf(code: number): number {
  if (code >= LOOKED_UP) return findClass(code);
  const found = known[code]!;
  if (found > 0) return found - 1;
  const at = findClass(code);
  known[code] = at + 1;
  return at;
}

function findClass(code: number): number {
  const character = String.fromCodePoint(code);
  const found = PATTERNS.find(([pattern]) => pattern.test(character));
  return found === undefined ? OTHER : CHARACTER_CLASSES.indexOf(found[1]);
}
