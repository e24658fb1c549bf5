import { z } from 'zod';

/** Tokens of the largest vocabularies that are known are 260,000. */
const MOST_TOKENS = 500_000;
/** Ids are rows of an embedding. */
const MOST_IDS = 10_000_000;
/** Longest token of a WordPiece or BPE vocabulary. */
const LONGEST_TOKEN = 256;
/** SentencePiece makes pieces of 16. At every place of a text each piece that fits is weighed against each that ends there. */
const LONGEST_PIECE = 32;
/** A large one (250,000 pieces) has 1,600,000. Each may become a node of the tree that finds them, of 300 bytes. */
const MOST_PIECE_CHARACTERS = 3_000_000;

const none = z.union([z.null(), z.literal('')]).optional();

const wordPiece = z.strictObject({
  type: z.literal('WordPiece'),
  unk_token: z.string(),
  continuing_subword_prefix: z.string().max(16).default('##'),
  /** A longer word is unknown. */
  max_input_chars_per_word: z.int().min(1).max(200).default(100),
  vocab: z.unknown(),
});

const bpe = z.strictObject({
  type: z.literal('BPE'),
  // Encoding at random is for training.
  dropout: z.union([z.null(), z.literal(0)]).optional(),
  unk_token: z.string().nullish(),
  continuing_subword_prefix: none,
  end_of_word_suffix: z.string().max(16).nullish(),
  fuse_unk: z.boolean().optional(),
  byte_fallback: z.boolean().optional(),
  ignore_merges: z.boolean().optional(),
  vocab: z.unknown(),
  merges: z.array(z.unknown()).max(MOST_TOKENS),
});

const unigram = z.strictObject({
  type: z.literal('Unigram'),
  unk_id: z.int().min(0),
  byte_fallback: z.literal(false, 'byte_fallback is not known for Unigram').optional(),
  vocab: z.array(z.unknown()).max(MOST_TOKENS),
});

const anyModel = z.discriminatedUnion('type', [wordPiece, bpe, unigram]);
export type Model = z.infer<typeof anyModel>;

/** For the name of the place in what is said of it. */
const place = z.strictObject({ model: anyModel });

/** The model of a tokenizer.json, its vocabulary and merges looked at one by one. Throws ZodError or Error, which say what is wrong. */
export function parseModel(given: unknown): Model {
  const { model } = place.parse({ model: withType(given) });
  if (model.type === 'Unigram') checkPieces(model.vocab, model.unk_id);
  else checkVocabulary(model.vocab, model.unk_token ?? undefined);
  if (model.type === 'BPE') for (const [at, merge] of model.merges.entries()) checkMerge(merge, at);
  return model;
}

/** Files of old versions leave the type out. */
function withType(given: unknown): unknown {
  if (typeof given !== 'object' || given === null || 'type' in given || !('vocab' in given)) return given;
  if (Array.isArray(given.vocab)) return { ...given, type: 'Unigram' };
  return { ...given, type: 'merges' in given ? 'BPE' : 'WordPiece' };
}

function checkVocabulary(vocab: unknown, unknownToken: string | undefined): void {
  if (typeof vocab !== 'object' || vocab === null || Array.isArray(vocab)) {
    throw new Error('model.vocab: expected an object of ids by token');
  }
  const tokens = Object.entries(vocab as Record<string, unknown>);
  if (tokens.length === 0 || tokens.length > MOST_TOKENS) {
    throw new Error(`model.vocab: ${tokens.length} tokens; 1 to ${MOST_TOKENS} may be`);
  }
  for (const [token, id] of tokens) {
    if (!Number.isInteger(id) || (id as number) < 0 || (id as number) >= MOST_IDS) {
      throw new Error(`model.vocab: every id must be a whole number below ${MOST_IDS}`);
    }
    if (token.length > LONGEST_TOKEN) throw new Error(`model.vocab: a token of more than ${LONGEST_TOKEN} characters`);
  }
  if (unknownToken !== undefined && !Object.hasOwn(vocab, unknownToken)) {
    throw new Error('model.unk_token: it is not in the vocabulary');
  }
}

function checkPieces(pieces: readonly unknown[], unknownId: number): void {
  if (unknownId >= pieces.length) throw new Error('model.unk_id: there is no such piece');
  let characters = 0;
  for (const piece of pieces) {
    if (!Array.isArray(piece) || piece.length !== 2) throw new Error('model.vocab: expected pairs of piece and score');
    const [text, score] = piece as unknown[];
    if (typeof text !== 'string' || !Number.isFinite(score)) {
      throw new Error('model.vocab: expected pairs of piece and score');
    }
    if (text.length > LONGEST_PIECE) throw new Error(`model.vocab: a piece of more than ${LONGEST_PIECE} characters`);
    characters += text.length;
  }
  if (characters > MOST_PIECE_CHARACTERS) {
    throw new Error(`model.vocab: ${characters} characters of pieces; at most ${MOST_PIECE_CHARACTERS} may be`);
  }
}

function checkMerge(merge: unknown, at: number): void {
  const parts = typeof merge === 'string' ? merge.split(' ') : merge;
  const isPair = Array.isArray(parts) && parts.length === 2 && parts.every((part) => typeof part === 'string');
  if (!isPair) throw new Error(`model.merges[${at}]: expected two tokens`);
  if (parts.some((part: string) => part.length > LONGEST_TOKEN)) {
    throw new Error(`model.merges[${at}]: a token of more than ${LONGEST_TOKEN} characters`);
  }
}
