/** Names of the special tokens, in the order of their ids: padding is 0. */
export const SPECIAL_TOKENS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]'] as const;

/** Stands before a piece that does not begin a word. */
export const INSIDE = '##';

const PRINTABLE = Array.from({ length: 94 }, (_, at) => String.fromCharCode(33 + at)).filter(
  (each) => !/[A-Z]/.test(each),
);

export type WordPieceSizes = {
  /** Whole words, the most frequent ones. */
  readonly words: number;
  /** Beginnings and endings of two to four letters of the words that are left. */
  readonly beginnings: number;
  readonly endings: number;
};

/**
 * A WordPiece vocabulary for lower-case English: the special tokens, every printable ASCII character at the beginning of a word
 * and inside it, the most frequent words of the texts, and what the other words most often begin and end with. Equal counts are
 * told apart by the letters, so that the order of texts plays no part.
 */
export function learnWordPieces(texts: readonly string[], sizes: WordPieceSizes): string[] {
  const words = mostFrequent(countAll(texts.flatMap((text) => text.toLowerCase().match(/[a-z]{2,}/g) ?? [])));
  const known = words.slice(0, sizes.words).map(([word]) => word);
  const left = words.slice(sizes.words);
  const parts = (part: (word: string, length: number) => string) => {
    const counts = new Map<string, number>();
    for (const [word, count] of left) {
      for (const length of [2, 3, 4]) {
        if (length < word.length) counts.set(part(word, length), (counts.get(part(word, length)) ?? 0) + count);
      }
    }
    return mostFrequent(counts).map(([each]) => each);
  };
  const beginnings = parts((word, length) => word.slice(0, length)).slice(0, sizes.beginnings);
  const endings = parts((word, length) => word.slice(-length)).slice(0, sizes.endings);
  const inside = [...PRINTABLE.filter((each) => /[a-z0-9]/.test(each)), ...endings].map((piece) => `${INSIDE}${piece}`);
  return [...new Set([...SPECIAL_TOKENS, ...PRINTABLE, ...inside, ...known, ...beginnings])];
}

/**
 * A `tokenizer.json` as Hugging Face's libraries read it, for these tokens in order of id: lower-cased and cleaned as BERT does,
 * `[CLS]` before a text and `[SEP]` after it.
 */
export function wordPieceTokenizer(vocabulary: readonly string[]): object {
  const special = (token: string) => ({ id: vocabulary.indexOf(token), content: token });
  const item = (token: string) => ({ SpecialToken: { id: token, type_id: 0 } });
  const sequence = (id: string, type_id: number) => ({ Sequence: { id, type_id } });
  const named = (token: string) => [token, { id: token, ids: [vocabulary.indexOf(token)], tokens: [token] }] as const;
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIAL_TOKENS.map((token) => ({
      ...special(token),
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [item('[CLS]'), sequence('A', 0), item('[SEP]')],
      pair: [item('[CLS]'), sequence('A', 0), item('[SEP]'), sequence('B', 1), item('[SEP]')],
      special_tokens: Object.fromEntries([named('[CLS]'), named('[SEP]')]),
    },
    decoder: { type: 'WordPiece', prefix: INSIDE, cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: INSIDE,
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])),
    },
  };
}

function countAll(words: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

function mostFrequent(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
}
