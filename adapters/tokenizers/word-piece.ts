/**
 * The pieces of words as WordPiece makes them (Schuster and Nakajima 2012): from the left always the longest that is known. The
 * library tries every length of a word at each of its places, which takes 20 µs a character of a text made for it; here no
 * piece is tried that is longer than the longest known one.
 */
export function splitIntoPieces(
  vocabulary: ReadonlySet<string>,
  options: WordPieceOptions,
): (words: string[]) => string[] {
  const { prefix, unknown, maxCharacters } = options;
  const inside = new Set<string>();
  let longest = 0;
  for (const token of vocabulary) {
    longest = Math.max(longest, token.length);
    if (token.startsWith(prefix)) inside.add(token.slice(prefix.length));
  }
  const split = (word: string): string[] | undefined => {
    const pieces: string[] = [];
    for (let start = 0; start < word.length; ) {
      const end = endOfPiece(start === 0 ? vocabulary : inside, word, start, longest);
      if (end === start) return undefined;
      const piece = word.slice(start, end);
      pieces.push(start === 0 ? piece : prefix + piece);
      start = end;
    }
    return pieces;
  };
  return (words) => {
    const pieces: string[] = [];
    for (const word of words) {
      const known = isWithin(word, maxCharacters) ? split(word) : undefined;
      if (known === undefined) pieces.push(unknown);
      else for (const piece of known) pieces.push(piece);
    }
    return pieces;
  };
}

export type WordPieceOptions = {
  /** What stands before a piece that does not begin a word. */
  readonly prefix: string;
  readonly unknown: string;
  /** A word of more code points is unknown. */
  readonly maxCharacters: number;
};

/** Where the longest known piece from `start` on ends; `start` if there is none. Never inside a surrogate pair. */
function endOfPiece(known: ReadonlySet<string>, word: string, start: number, longest: number): number {
  for (let end = Math.min(word.length, start + longest); end > start; end -= 1) {
    if (!isLowSurrogate(word.charCodeAt(end)) && known.has(word.slice(start, end))) return end;
  }
  return start;
}

function isWithin(word: string, maxCharacters: number): boolean {
  return word.length <= maxCharacters || [...word].length <= maxCharacters;
}

/** False past the end, where the code is NaN. */
function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}
