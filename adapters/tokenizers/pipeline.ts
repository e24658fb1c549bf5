import { z } from 'zod';
import { isHarmless, WORDS } from './patterns.ts';

/*
 * The steps of a tokenizer.json before and after its model, as far as `@huggingface/tokenizers` does them as the reference
 * implementation does. Unknown steps, options and regular expressions are refused: a tokenizer that is nearly right gives
 * wrong answers, and one that is hostile holds up everybody.
 */

/** Steps in a sequence. */
const MOST_STEPS = 16;
/** A text may grow by this in normalizing, besides what Unicode normalization does (at most 18 times). */
const MOST_GROWTH = 4;
const MOST_ADDED = 10_000;
/** Characters of all added tokens: each may become a node of the tree that finds them. */
const MOST_ADDED_CHARACTERS = 500_000;

const regex = z
  .string()
  .max(1000)
  .refine(
    isHarmless,
    'run are the regular expressions of widely used tokenizers and a character class repeated, no others',
  );
const pattern = z.union([z.strictObject({ String: z.string().min(1).max(64) }), z.strictObject({ Regex: regex })]);
const flag = z.boolean();
const step = <T extends string, S extends z.ZodRawShape>(type: T, shape: S) =>
  z.strictObject({ type: z.literal(type), ...shape });

const normalizers = [
  step('BertNormalizer', {
    clean_text: flag,
    handle_chinese_chars: flag,
    strip_accents: flag.nullish(),
    lowercase: flag,
  }),
  step('Precompiled', { precompiled_charsmap: z.string().nullish() }),
  step('Replace', { pattern, content: z.string().max(64) }),
  step('NFC', {}),
  step('NFD', {}),
  step('NFKC', {}),
  step('NFKD', {}),
  step('Strip', { strip_left: flag, strip_right: flag }),
  step('StripAccents', {}),
  step('Lowercase', {}),
  step('Prepend', { prepend: z.string().max(16) }),
] as const;
const oneNormalizer = z.discriminatedUnion('type', normalizers);
const normalizer = z
  .discriminatedUnion('type', [
    ...normalizers,
    step('Sequence', { normalizers: z.array(oneNormalizer).max(MOST_STEPS) }),
  ])
  .refine(
    (given) => growthOf(given.type === 'Sequence' ? given.normalizers : [given]) <= MOST_GROWTH,
    `replacing lets a text grow more than ${MOST_GROWTH} times`,
  );

/** A pattern matches a character at least. */
function growthOf(steps: readonly z.infer<typeof oneNormalizer>[]): number {
  let growth = 1;
  for (const given of steps) {
    if (given.type !== 'Replace') continue;
    const least = 'String' in given.pattern ? given.pattern.String.length : 1;
    growth *= Math.max(1, given.content.length / least);
  }
  return growth;
}

const preTokenizers = [
  step('BertPreTokenizer', {}),
  // The library's own knows the words of ASCII alone.
  step('Whitespace', {}).transform(() => ({
    type: 'Split' as const,
    pattern: { Regex: WORDS },
    behavior: 'Removed' as const,
    invert: true,
  })),
  step('WhitespaceSplit', {}),
  step('Metaspace', {
    replacement: z.string().min(1).max(2),
    prepend_scheme: z.enum(['always', 'first', 'never']).default('always'),
    add_prefix_space: flag.optional(),
    split: flag.optional(),
  }).refine(
    ({ prepend_scheme, add_prefix_space }) => add_prefix_space !== false || prepend_scheme === 'never',
    'add_prefix_space: save the file with a newer version, which writes prepend_scheme',
  ),
  step('ByteLevel', { add_prefix_space: flag, trim_offsets: flag.optional(), use_regex: flag.optional() }),
  // Other behaviours are done as if they were Isolated.
  step('Split', { pattern, behavior: z.enum(['Isolated', 'Removed']), invert: flag }),
  step('Punctuation', { behavior: z.literal('Contiguous') }),
  step('Digits', { individual_digits: flag }),
] as const;
const preTokenizer = z.discriminatedUnion('type', [
  ...preTokenizers,
  step('Sequence', { pretokenizers: z.array(z.discriminatedUnion('type', preTokenizers)).max(MOST_STEPS) }),
]);

const typeId = z.literal(0, 'type ids other than 0 are not known here');
const templateItem = z.union([
  z.strictObject({ SpecialToken: z.strictObject({ id: z.string().max(256), type_id: typeId }) }),
  z.strictObject({ Sequence: z.strictObject({ id: z.literal('A'), type_id: typeId }) }),
]);
const special = z.tuple([z.string().max(256), z.int()]);
const around = { sep: special, cls: special, trim_offsets: flag.optional(), add_prefix_space: flag.optional() };
const postProcessors = [
  step('TemplateProcessing', {
    single: z
      .array(templateItem)
      .max(MOST_STEPS)
      .refine((items) => items.filter((item) => 'Sequence' in item).length === 1, 'the text must stand in it once'),
    // For pairs of texts, which nothing here encodes.
    pair: z.unknown(),
    special_tokens: z.unknown(),
  }),
  step('ByteLevel', { add_prefix_space: flag.optional(), trim_offsets: flag.optional(), use_regex: flag.optional() }),
  step('BertProcessing', around),
  step('RobertaProcessing', around),
] as const;
const onePostProcessor = z.discriminatedUnion('type', postProcessors);
const postProcessor = z.discriminatedUnion('type', [
  ...postProcessors,
  step('Sequence', { processors: z.array(onePostProcessor).max(MOST_STEPS) }),
]);

const addedToken = z.strictObject({
  id: z
    .int()
    .min(0)
    .max(2 ** 31 - 1),
  content: z.string().min(1).max(256),
  single_word: z.literal(false, 'tokens that stand as single words only are not known here').optional(),
  lstrip: flag.optional(),
  rstrip: flag.optional(),
  normalized: flag.optional(),
  special: flag.optional(),
});

/** All of a tokenizer.json but its model. What it says of truncation and padding is the manifest's to say. */
export const pipelineSchema = z.looseObject({
  normalizer: normalizer.nullable().default(null),
  pre_tokenizer: preTokenizer.nullable().default(null),
  post_processor: postProcessor.nullable().default(null),
  added_tokens: z
    .array(addedToken)
    .max(MOST_ADDED)
    .refine(
      (tokens) => tokens.reduce((sum, { content }) => sum + content.length, 0) <= MOST_ADDED_CHARACTERS,
      `more than ${MOST_ADDED_CHARACTERS} characters of added tokens`,
    )
    .default([]),
});

export type Pipeline = z.infer<typeof pipelineSchema>;

/** The special tokens that are put around every text, by name. */
export function specialTokensOf({ post_processor: given }: Pipeline): string[] {
  if (given === null) return [];
  return (given.type === 'Sequence' ? given.processors : [given]).flatMap((each) => {
    if (each.type === 'ByteLevel') return [];
    if (each.type !== 'TemplateProcessing') return [each.cls[0], each.sep[0]];
    return each.single.flatMap((item) => ('SpecialToken' in item ? [item.SpecialToken.id] : []));
  });
}
