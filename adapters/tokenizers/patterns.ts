/**
 * Regular expressions of a pushed file run on the thread that every tenant shares, and a few characters of one can take hours on
 * a short text. So only these run: what the tokenizers of widely used models hold, looked at one by one, and a single character
 * class repeated. All of them take time in proportion to the text.
 */
const CONTRACTIONS = "'s|'t|'re|'ve|'m|'ll|'d";
const TAIL = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const UPPER = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
const LOWER = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';
const CASELESS = `(?i:${CONTRACTIONS})`;

/** `\w+|[^\w\s]+`: the words of the pre-tokenizer Whitespace. */
export const WORDS = '\\w+|[^\\w\\s]+';

const KNOWN: ReadonlySet<string> = new Set([
  WORDS,
  // GPT-2, RoBERTa
  `${CONTRACTIONS}| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+`,
  // CLIP
  `${CONTRACTIONS}|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+`,
  // GPT-4 (cl100k), Llama 3
  `${CASELESS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${TAIL}`,
  // Qwen 2 and 3
  `${CASELESS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${TAIL}`,
  // GPT-4o (o200k)
  `[^\\r\\n\\p{L}\\p{N}]?${UPPER}*${LOWER}+${CASELESS}?|[^\\r\\n\\p{L}\\p{N}]?${UPPER}+${LOWER}*${CASELESS}?` +
    `|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${TAIL}`,
  // BLOOM
  ' ?[^(\\s|[.,!?…。，、।۔،])]+',
]);

const CLASS =
  '\\\\[sSdDwWnrt]|\\\\p\\{\\w+\\}|[^\\\\^$.*+?()[\\]{}|]|\\[\\^?(?:\\\\[sSdDwWnrt\\]\\\\^-]|\\\\p\\{\\w+\\}|[^\\\\[\\]&])+\\]';
const REPEATED_CLASS = new RegExp(`^(?:${CLASS})(?:\\+|\\{(\\d+)(?:,\\d*)?\\})?$`, 'u');
/** A run shorter than it is looked at again from each of its places. */
const MOST_REPEATS = 16;

/** True if the pattern matches no empty text and takes time in proportion to the text. */
export function isHarmless(pattern: string): boolean {
  if (KNOWN.has(pattern)) return true;
  const repeated = REPEATED_CLASS.exec(pattern);
  if (repeated === null) return false;
  const [, least = '1'] = repeated;
  return Number(least) >= 1 && Number(least) <= MOST_REPEATS;
}
