/**
 * Token ids of one text, special tokens included; at least one, each from 0 to 2^31 − 1. The same text has the same ids. Throws
 * `text-invalid` for a text without a token, or that the tokenizer cannot take.
 */
export type Tokenizer = { encode(text: string): readonly number[] };

/** Tokenizers by the digest of their `tokenizer.json`. */
export interface Tokenizers {
  /** Opened once and kept, while there is room for it. `artifact-missing`, `artifact-damaged`, `tokenizer-invalid`. */
  open(digest: string): Promise<Tokenizer>;
  /** False once it was closed to keep within what the host gives: what still holds it keeps its memory, and is to let it go. */
  isOpen(digest: string): boolean;
}
