import { wordPieceTokenizer } from '../../models/text/word-pieces.ts';

/** A tokenizer.json, to be changed before it is written. */
// biome-ignore lint/suspicious/noExplicitAny: tests reach anywhere into it to break it
export type TokenizerFile = Record<string, any>;

const WORDS = [
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  'card',
  'pay',
  '##ment',
  '##s',
  'a',
  '##b',
  '!',
  'の',
  '##の',
  '𝒳',
  '##𝒳',
];

/** WordPiece with `[CLS]` 2 before a text and `[SEP]` 3 after it. */
export function wordPieceFile(): TokenizerFile {
  return structuredClone(wordPieceTokenizer(WORDS));
}

/** Byte-level BPE as GPT-2 has it, without special tokens. */
export function bytePairFile(): TokenizerFile {
  const tokens = ['Ġ', 'a', 'b', 'c', 'ab', 'Ġab', 'abc'];
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel' },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: ['a b', 'Ġ ab', 'ab c'],
    },
  };
}

/** SentencePiece's unigram model as XLM-RoBERTa has it. */
export function unigramFile(): TokenizerFile {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [
      { id: 0, content: '<s>', single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
      { id: 1, content: '</s>', single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
    ],
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Precompiled', precompiled_charsmap: 'AAAA' },
        { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' },
      ],
    },
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    post_processor: { type: 'RobertaProcessing', sep: ['</s>', 1], cls: ['<s>', 0], trim_offsets: true },
    decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    model: {
      type: 'Unigram',
      unk_id: 2,
      vocab: [
        ['<s>', 0],
        ['</s>', 0],
        ['<unk>', 0],
        ['▁card', -3],
        ['s', -2],
        ['▁', -2],
        ['pay', -4],
        ['ment', -4],
      ],
    },
  };
}

export function bytesOf(file: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(file));
}
