import { Tokenizer as Library } from '@huggingface/tokenizers';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { isHarmless } from '../../adapters/tokenizers/patterns.ts';
import { parseTokenizer } from '../../adapters/tokenizers/tokenizer-file.ts';
import type { Tokenizer } from '../../core/ports/tokenizers.ts';
import { expectFailure, failureOf } from '../support/failures.ts';
import { bytePairFile, bytesOf, type TokenizerFile, unigramFile, wordPieceFile } from '../support/tokenizer-files.ts';

/** The kinds of file, with words that are known to each. */
const KINDS = [
  ['WordPiece', wordPieceFile, ['cards', 'payment', 'a', 'b', '!', '[SEP]', 'の', '𝒳', 'x', ' ']],
  ['BPE', bytePairFile, ['abc', 'ab', 'cab', ' ', 'c']],
  ['Unigram', unigramFile, ['cards', 'payment', ' ', '</s>', 'x', 'ｶ']],
] as const;

describe.each(KINDS)('a %s file', (_, file, words) => {
  const library = new Library(file(), {}) as { encode(text: string): { ids: number[] } };
  const tokenizer = parseTokenizer(bytesOf(file()));
  const known = fc.array(fc.constantFrom(...words), { maxLength: 30 }).map((each) => each.join(''));

  it('gives the ids that the library gives, special tokens included', () => {
    fc.assert(
      fc.property(fc.oneof(known, fc.string({ unit: 'binary', maxLength: 30 })), (text) => {
        const ids = library.encode(text.toWellFormed()).ids;
        if (ids.length > 0) expect(tokenizer.encode(text)).toEqual(ids);
        else expectFailure(() => tokenizer.encode(text), 'text-invalid');
      }),
      { numRuns: 300 },
    );
  });

  it('takes a lone surrogate for U+FFFD', () => {
    expect(idsOrCode(tokenizer, 'card \ud800 ab')).toEqual(idsOrCode(tokenizer, 'card \ufffd ab'));
  });

  it('takes the longest text of anything in its stride', () => {
    for (const unit of ['a', 'z', ' ', '\n', 'の', '👍', '!', 'a ', '\u0301', 'ﷺ', '1']) {
      const text = unit.repeat(65_536 / unit.length);
      const startMs = performance.now();
      idsOrCode(tokenizer, text);
      // Two orders of magnitude above what it takes: quadratic time would be four.
      expect(performance.now() - startMs, JSON.stringify(unit)).toBeLessThan(5000);
    }
  });
});

function idsOrCode(tokenizer: Tokenizer, text: string): readonly number[] | string {
  try {
    return tokenizer.encode(text);
  } catch (error) {
    return failureOf(() => {
      throw error;
    }).code;
  }
}

test('a word made to be slow is split in time', () => {
  // Every piece of one letter is known and no longer one: the library tries all lengths at all places, 20 µs a letter.
  const tokenizer = parseTokenizer(bytesOf(wordPieceFile()));
  const startMs = performance.now();
  expect(tokenizer.encode(`a${'b'.repeat(99)} `.repeat(600))).toHaveLength(60_002);
  expect(performance.now() - startMs).toBeLessThan(2000);
});

test('a text whose tokens have no id is refused, and so is one without a token', () => {
  const file = bytePairFile();
  expectFailure(() => parseTokenizer(bytesOf(file)).encode(''), 'text-invalid', { detail: 'the text has no token' });
  expect(parseTokenizer(bytesOf(wordPieceFile())).encode('')).toEqual([2, 3]);
});

describe('refused with a reason is', () => {
  const refusedBytes: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['nothing', new Uint8Array(), /not JSON/],
    ['what is not JSON', new TextEncoder().encode('{"model":'), /not JSON/],
    ['what is not UTF-8', Uint8Array.of(0x22, 0xff, 0x22), /not JSON in UTF-8/],
    ['a list', bytesOf([]), /expected object/],
    ['null', bytesOf(null), /expected object/],
    ['an empty object', bytesOf({}), /expected object|type/],
    [
      'an object nested deeply',
      new TextEncoder().encode(`${'{"normalizer":'.repeat(50_000)}1${'}'.repeat(50_000)}`),
      /./,
    ],
  ];
  it.each(refusedBytes)('%s', (_, bytes, reason) => expectRefused(bytes, reason));

  const changes: readonly (readonly [string, () => TokenizerFile, (file: TokenizerFile) => void, RegExp])[] = [
    ['an unknown model', wordPieceFile, (f) => set(f.model, { type: 'WordLevel' }), /^model|^type/],
    ['no vocabulary', wordPieceFile, (f) => unset(f.model, 'vocab'), /vocab/],
    ['an empty vocabulary', wordPieceFile, (f) => set(f.model, { vocab: {} }), /0 tokens/],
    ['a vocabulary of lists', wordPieceFile, (f) => set(f.model, { vocab: [] }), /vocab/],
    ['an id below zero', wordPieceFile, (f) => set(f.model.vocab, { card: -1 }), /whole number/],
    ['an id that is no number', wordPieceFile, (f) => set(f.model.vocab, { card: 'length' }), /whole number/],
    ['an id of billions', wordPieceFile, (f) => set(f.model.vocab, { card: 4e9 }), /whole number/],
    ['a token of thousands of characters', wordPieceFile, (f) => set(f.model.vocab, { ['x'.repeat(257)]: 20 }), /256/],
    ['an unknown token that is not there', wordPieceFile, (f) => set(f.model, { unk_token: '[NO]' }), /unk_token/],
    ['words of any length', wordPieceFile, (f) => set(f.model, { max_input_chars_per_word: 1e9 }), /max_input/],
    ['an option that is not known', wordPieceFile, (f) => set(f.model, { beam: 3 }), /beam/],
    ['encoding at random', bytePairFile, (f) => set(f.model, { dropout: 0.1 }), /dropout/],
    ['a merge of three', bytePairFile, (f) => f.model.merges.push('a b c'), /merges\[3\]/],
    ['a merge that is none', bytePairFile, (f) => f.model.merges.push({}), /merges\[3\]/],
    ['no merges', bytePairFile, (f) => unset(f.model, 'merges'), /merges|continuing/],
    ['a piece without a score', unigramFile, (f) => f.model.vocab.push(['x']), /piece and score/],
    ['a score that is no number', unigramFile, (f) => f.model.vocab.push(['x', null]), /piece and score/],
    ['a piece as long as a text', unigramFile, (f) => f.model.vocab.push(['x'.repeat(33), 1]), /32/],
    ['an unknown piece that is not there', unigramFile, (f) => set(f.model, { unk_id: 8 }), /unk_id/],
    ['bytes for unknown pieces', unigramFile, (f) => set(f.model, { byte_fallback: true }), /byte_fallback/],
    ['an unknown normalizer', wordPieceFile, (f) => set(f, { normalizer: { type: 'Nmt' } }), /normalizer/],
    [
      'an unknown pre-tokenizer',
      wordPieceFile,
      (f) => set(f, { pre_tokenizer: { type: 'UnicodeScripts' } }),
      /pre_tokenizer/,
    ],
    ['an unknown post-processor', wordPieceFile, (f) => set(f, { post_processor: { type: 'X' } }), /post_processor/],
    [
      'pieces of length 0',
      wordPieceFile,
      (f) => set(f, { pre_tokenizer: { type: 'FixedLength', length: 0 } }),
      /pre_tok/,
    ],
    [
      'a special token that is not there',
      wordPieceFile,
      (f) => set(f.post_processor.single[0].SpecialToken, { id: '[X]' }),
      /\[X\] is not in/,
    ],
    ['a template without the text', wordPieceFile, (f) => f.post_processor.single.splice(1, 1), /stand in it once/],
    [
      'a template with the text twice',
      wordPieceFile,
      (f) => f.post_processor.single.push(f.post_processor.single[1]),
      /once/,
    ],
    [
      'a template of thousands',
      wordPieceFile,
      (f) => f.post_processor.single.push(...Array(20).fill(f.post_processor.single[0])),
      /16/,
    ],
    ['an added token without text', wordPieceFile, (f) => set(f.added_tokens[0], { content: '' }), /added_tokens/],
    [
      'an added token that is a book',
      wordPieceFile,
      (f) => set(f.added_tokens[0], { content: 'x'.repeat(257) }),
      /added_tokens/,
    ],
    [
      'an added token of single words',
      wordPieceFile,
      (f) => set(f.added_tokens[0], { single_word: true }),
      /single words/,
    ],
    [
      'added tokens that are a library',
      wordPieceFile,
      (f) =>
        set(f, { added_tokens: Array.from({ length: 10_000 }, (_, id) => ({ id, content: `${id}`.padEnd(100) })) }),
      /500000/,
    ],
    [
      'a regular expression that explodes',
      wordPieceFile,
      (f) => set(f, { normalizer: replace({ Regex: '(a+)+$' }, '') }),
      /regular expression/,
    ],
    [
      'one that explodes where texts are split',
      wordPieceFile,
      (f) =>
        set(f, {
          pre_tokenizer: { type: 'Split', pattern: { Regex: '(x+x+)+y' }, behavior: 'Isolated', invert: false },
        }),
      /regular expression/,
    ],
    [
      'a sequence that hides one',
      wordPieceFile,
      (f) => set(f, { normalizer: { type: 'Sequence', normalizers: [replace({ Regex: '(a|a)*' }, '')] } }),
      /regular expression/,
    ],
    [
      'a text that grows without end',
      wordPieceFile,
      (f) => set(f, { normalizer: { type: 'Sequence', normalizers: Array(16).fill(replace({ String: 'a' }, 'aa')) } }),
      /grow/,
    ],
    [
      'a sequence in a sequence',
      wordPieceFile,
      (f) => set(f, { normalizer: { type: 'Sequence', normalizers: [{ type: 'Sequence', normalizers: [] }] } }),
      /normalizer/,
    ],
    [
      'a sequence of thousands',
      wordPieceFile,
      (f) => set(f, { normalizer: { type: 'Sequence', normalizers: Array(17).fill({ type: 'NFC' }) } }),
      /16/,
    ],
    [
      'a split that is not done as it should be',
      wordPieceFile,
      (f) =>
        set(f, {
          pre_tokenizer: { type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithNext', invert: false },
        }),
      /pre_tok/,
    ],
  ];
  it.each(changes)('%s', (_, file, change, reason) => {
    const changed = file();
    change(changed);
    expectRefused(bytesOf(changed), reason);
  });

  it('a vocabulary with too many pieces or characters', () => {
    const pieces = (count: number, length: number) =>
      Array.from({ length: count }, (_, at) => [`${at}`.padEnd(length), 0]);
    const file = unigramFile();
    file.model.vocab = pieces(100_000, 31);
    expectRefused(bytesOf(file), /characters of pieces/);
    file.model.vocab = pieces(500_001, 1);
    expectRefused(bytesOf(file), /500000/);
  });

  it('any file that was tampered with, unless it still tokenizes', () => {
    const places = fc.constantFrom('normalizer', 'pre_tokenizer', 'post_processor', 'added_tokens', 'model');
    fc.assert(
      fc.property(fc.constantFrom(...KINDS), places, fc.string(), fc.jsonValue(), ([, make], place, key, value) => {
        const file = make();
        if (file[place] !== null) Object.defineProperty(file[place], key, { value, enumerable: true });
        try {
          idsOrCode(parseTokenizer(bytesOf(file)), 'a card');
        } catch (error) {
          expect(error).toMatchObject({ code: 'tokenizer-invalid' });
        }
      }),
    );
  });
});

test('what older files leave out is filled in, and Whitespace knows the letters of every script', () => {
  const file = wordPieceFile();
  unset(file.model, 'type');
  unset(file.model, 'max_input_chars_per_word');
  unset(file, 'decoder');
  file.normalizer = null;
  file.pre_tokenizer = { type: 'Whitespace' };
  file.model.vocab.été = 30;
  expect(parseTokenizer(bytesOf(file)).encode('été !')).toEqual([2, 30, 10, 3]);
});

test('the regular expressions of widely used tokenizers are run, and classes repeated; no others', () => {
  const gpt2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
  const qwen =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  for (const pattern of [gpt2, qwen, '\\s+', ' {2,}', '[\\r\\n]', '\\p{N}{1,3}', '[^\\s\\p{L}]+', '\\n', 'x']) {
    expect(isHarmless(pattern), pattern).toBe(true);
  }
  for (const pattern of [
    '',
    'a*',
    'a?',
    'a{0,3}',
    'a{17,}',
    'a+b',
    '(a+)+',
    'a|a',
    '^a',
    'a$',
    '.',
    '.+',
    '[[a]&&b]+',
    '(?=a)',
    '\\1',
    '\\b',
    '[a',
  ]) {
    expect(isHarmless(pattern), pattern).toBe(false);
  }
});

function expectRefused(bytes: Uint8Array, reason: RegExp): void {
  const failure = failureOf(() => parseTokenizer(bytes));
  expect(failure.code).toBe('tokenizer-invalid');
  expect(failure.facts.detail).toMatch(reason);
  expect(failure.facts.detail).not.toMatch(/\n|node_modules|at Object/);
  expect(failure.facts.detail!.length).toBeLessThanOrEqual(300);
}

function set(target: object, changes: object): void {
  Object.assign(target, changes);
}

function unset(target: Record<string, unknown>, key: string): void {
  delete target[key];
}

function replace(pattern: object, content: string): object {
  return { type: 'Replace', pattern, content };
}
