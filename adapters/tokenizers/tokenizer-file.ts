import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { Failure } from '../../core/failure.ts';
import { LONGEST_TEXT } from '../../core/models/tokenized-signature.ts';
import type { Tokenizer } from '../../core/ports/tokenizers.ts';
import { pipelineSchema, specialTokensOf } from './pipeline.ts';
import { splitByUnigram, type UnigramModel } from './unigram.ts';
import { type Model, parseModel } from './vocabulary.ts';
import { splitIntoPieces } from './word-piece.ts';

/** What is used of the library's tokenizer: its own types are not found by Node's way of resolving modules. */
type LibraryTokenizer = {
  readonly model: LibraryModel;
  normalizer: ((text: string) => string) | null;
  encode(text: string): { readonly ids: readonly (number | undefined)[] };
  token_to_id(token: string): number | undefined;
};

type LibraryModel = {
  readonly tokens_to_ids: ReadonlyMap<string, number>;
  encode: (words: string[]) => string[];
  /** Unknown tokens in a row become one. */
  fuse_unk: boolean;
  /** Of BPE: longer words are not kept with their pieces. */
  max_length_to_cache?: number;
};

/** A text grows in normalizing up to 18 times (U+FDFA by NFKC), but none that anybody reads twice over. */
const LONGEST_NORMALIZED = 2 * LONGEST_TEXT;

/**
 * The tokenizer that a tokenizer.json describes. `tokenizer-invalid` with a reason for bytes that are none, or one that would be
 * done wrongly or could hold up the process: what it does takes time and memory in proportion to text and file.
 */
export function parseTokenizer(bytes: Uint8Array): Tokenizer {
  try {
    return open(parseJson(bytes));
  } catch (cause) {
    throw new Failure('tokenizer-invalid', { detail: reasonOf(cause) }, { cause });
  }
}

function parseJson(bytes: Uint8Array): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new Error('it is not JSON in UTF-8', { cause });
  }
  return z.looseObject({}).parse(parsed);
}

function open(file: Record<string, unknown>): Tokenizer {
  const pipeline = pipelineSchema.parse(file);
  const model = parseModel(file.model);
  const { normalizer, pre_tokenizer, post_processor, added_tokens } = pipeline;
  // Decoding is for generated text; what is not named here is not looked at.
  const tokenizer: LibraryTokenizer = new HuggingFaceTokenizer(
    { normalizer, pre_tokenizer, post_processor, added_tokens, model, decoder: null },
    {},
  );
  bound(tokenizer, model);
  for (const token of specialTokensOf(pipeline)) {
    if (tokenizer.token_to_id(token) === undefined)
      throw new Error(`post_processor: ${token} is not in the vocabulary`);
  }
  return { encode: (text) => encode(tokenizer, text) };
}

/** Keeps the time that a text takes in proportion to it, and nothing of it in memory: a tokenizer is every tenant's. */
function bound(tokenizer: LibraryTokenizer, given: Model): void {
  const { model, normalizer } = tokenizer;
  if (normalizer !== null) tokenizer.normalizer = (text) => checkLength(normalizer(text));
  if (given.type === 'BPE') model.max_length_to_cache = 0;
  if (given.type === 'WordPiece') {
    model.encode = splitIntoPieces(new Set(model.tokens_to_ids.keys()), {
      prefix: given.continuing_subword_prefix,
      unknown: given.unk_token,
      maxCharacters: given.max_input_chars_per_word,
    });
  }
  if (given.type === 'Unigram') {
    model.fuse_unk = false;
    model.encode = splitByUnigram(model as LibraryModel & UnigramModel);
  }
}

function checkLength(normalized: string): string {
  if (normalized.length > LONGEST_NORMALIZED) throw new Error('the text grows too much when it is normalized');
  return normalized;
}

function encode(tokenizer: LibraryTokenizer, text: string): readonly number[] {
  let ids: readonly (number | undefined)[];
  try {
    // As on every way that a text takes from here to a model, lone surrogates are U+FFFD.
    ids = tokenizer.encode(text.toWellFormed()).ids;
  } catch (cause) {
    throw new Failure('text-invalid', { detail: 'the tokenizer cannot take this text' }, { cause });
  }
  if (ids.length === 0) throw new Failure('text-invalid', { detail: 'the text has no token' });
  if (ids.includes(undefined)) throw new Failure('text-invalid', { detail: 'a token of the text has no id' });
  return ids as readonly number[];
}

/** Says where and what; nothing longer of the file than a name. */
function reasonOf(cause: unknown): string {
  if (cause instanceof z.ZodError) {
    const [issue] = cause.issues;
    return `${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'not valid'}`.slice(0, 300);
  }
  return cause instanceof Error ? cause.message.slice(0, 300) : 'it cannot be read';
}
