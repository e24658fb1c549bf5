import { Failure } from '../failure.ts';
import type { Manifest, TokenizerRules } from '../models/manifest.ts';
import type { Signature } from '../models/signature.ts';
import { tokenInputs } from '../models/tokenized-signature.ts';
import type { ModelVersion } from '../models/version.ts';
import type { Clock } from '../ports/clock.ts';
import type { Tokenizer } from '../ports/tokenizers.ts';
import type { InferRequest } from './request.ts';
import type { Tensor } from './tensor.ts';
import { type Filled, fillTensors, MOST_IDS, type TokenRows } from './token-tensors.ts';
import { compileValidator, type ValidatedInputs } from './validate-inputs.ts';

/** Text tokenized without letting others have a turn: about 3 ms at 0.3 µs a UTF-16 code unit. */
const SLICE_UNITS = 8192;

/**
 * Replaces the text tensor of a request that its public signature accepts by the graph's ids, mask and type ids
 * [rows, longest], padded within the request; other tensors stay as they are. Throws `input-too-large` for a text of too many
 * tokens (unless they are cut) or a request of more than `MOST_IDS`, `text-invalid` for a text without a token or with one that the
 * manifest's rules of the ids leave out; both name the element.
 */
export type TokenizeInputs = (inputs: readonly Tensor[]) => Tensor[];

/**
 * Throws `manifest-invalid` if special tokens alone fill `maxTokens`. The manifest fits the graph (`tokenizerProblems`).
 */
export function compileTokenizing(manifest: Manifest, graph: Signature, tokenizer: Tokenizer): TokenizeInputs {
  const plan = planOf(manifest, graph, tokenizer);
  return (inputs) => {
    const at = textAt(plan, inputs);
    const rows = (inputs[at]!.data as string[]).map((text, index) => encodeRow(plan, text, { at, index }));
    return replaceText(plan, inputs, rows, at);
  };
}

/**
 * `compileValidator` for a version with a tokenizer: checks what the caller sent, then tokenizes it. Long requests are
 * tokenized in slices, others having their turn between them; short ones at once, without a promise.
 */
export function compileTextValidator(
  version: ModelVersion,
  tokenizer: Tokenizer,
  clock: Pick<Clock, 'sleep'>,
): (request: InferRequest) => ValidatedInputs | Promise<ValidatedInputs> {
  const check = compileValidator(version);
  const plan = planOf(version.manifest, version.graphSignature ?? version.signature, tokenizer);
  return (request) => {
    const checked = check(request);
    const at = textAt(plan, checked.inputs);
    const texts = checked.inputs[at]!.data as string[];
    let units = 0;
    for (const text of texts) units += text.length;
    if (units > SLICE_UNITS) {
      return encodeInSlices(plan, texts, at, clock).then((rows) => tokenized(plan, checked, rows, at));
    }
    const rows = texts.map((text, index) => encodeRow(plan, text, { at, index }));
    return tokenized(plan, checked, rows, at);
  };
}

type Plan = {
  readonly tokenizer: Tokenizer;
  readonly rules: TokenizerRules;
  readonly filled: readonly Filled[];
  /** Ids of every row where the graph fixes it. */
  readonly fixedLength: number | undefined;
  /** How many special tokens stand after a text. */
  readonly closing: number;
  readonly minId: number;
  readonly maxId: number;
};

/** Which text: for failures to name. */
type Place = { readonly at: number; readonly index: number };

function planOf({ tokenizer: rules, inputs }: Manifest, graph: Signature, tokenizer: Tokenizer): Plan {
  if (rules === undefined) throw new Error('a tokenizer without rules for it');
  const rulesOf = (name: string) => (Object.hasOwn(inputs, name) ? (inputs[name] ?? {}) : {});
  const [empty, opening] = specialTokens(tokenizer);
  if (empty >= rules.maxTokens) {
    const problem = `tokenizer.maxTokens: ${rules.maxTokens}, but the tokenizer adds ${empty} to every text`;
    throw new Failure('manifest-invalid', { problems: [problem] });
  }
  const filled = tokenInputs(rules).map((name): Filled => {
    const signature = graph.inputs.find((input) => input.name === name);
    const value = name === rules.ids ? 'id' : name === rules.mask ? 1 : 0;
    return { name, datatype: signature?.datatype === 'INT32' ? 'INT32' : 'INT64', pad: rulesOf(name).pad ?? 0, value };
  });
  const length = graph.inputs.find(({ name }) => name === rules.ids)?.shape[1];
  const { min = 0, max = Number.POSITIVE_INFINITY } = rulesOf(rules.ids);
  return {
    tokenizer,
    rules,
    filled,
    fixedLength: typeof length === 'number' ? length : undefined,
    closing: empty - opening,
    minId: min,
    maxId: max,
  };
}

/** How many special tokens a text gets, and how many of them before it: what an empty text and another begin with alike. */
function specialTokens(tokenizer: Tokenizer): [count: number, opening: number] {
  const empty = idsOrNone(tokenizer, '');
  for (const text of ['a', '1', '.', '\u4e00']) {
    const ids = idsOrNone(tokenizer, text);
    if (ids.length <= empty.length) continue;
    let opening = 0;
    while (opening < empty.length && ids[opening] === empty[opening]) opening += 1;
    return [empty.length, opening];
  }
  return [empty.length, empty.length];
}

function idsOrNone(tokenizer: Tokenizer, text: string): readonly number[] {
  try {
    return tokenizer.encode(text);
  } catch (error) {
    if (error instanceof Failure) return [];
    throw error;
  }
}

function textAt({ rules }: Plan, inputs: readonly Tensor[]): number {
  const at = inputs.findIndex(({ name }) => name === rules.input);
  if (at === -1) throw new Failure('input-missing', { field: 'inputs', missing: [rules.input] });
  return at;
}

async function encodeInSlices(
  plan: Plan,
  texts: readonly string[],
  at: number,
  clock: Pick<Clock, 'sleep'>,
): Promise<TokenRows> {
  const rows: (readonly number[])[] = [];
  let units = 0;
  for (const [index, text] of texts.entries()) {
    rows.push(encodeRow(plan, text, { at, index }));
    units += text.length;
    if (units < SLICE_UNITS) continue;
    units = 0;
    await clock.sleep(0);
  }
  return rows;
}

function encodeRow(plan: Plan, text: string, place: Place): readonly number[] {
  const { minId, maxId } = plan;
  const { maxTokens, longTexts } = plan.rules;
  const ids = encodeText(plan.tokenizer, text, place);
  for (const id of ids) {
    if (id < minId || id > maxId) throw invalidText(place, 'it has a token that the model does not know');
  }
  if (ids.length <= maxTokens) return ids;
  if (longTexts === 'refuse') {
    const detail = `the text has more than ${maxTokens} tokens`;
    const field = `inputs[${place.at}].data`;
    throw new Failure('input-too-large', { field, index: place.index, limit: maxTokens, got: ids.length, detail });
  }
  const { closing } = plan;
  return closing === 0
    ? ids.slice(0, maxTokens)
    : [...ids.slice(0, maxTokens - closing), ...ids.slice(ids.length - closing)];
}

function encodeText(tokenizer: Tokenizer, text: string, place: Place): readonly number[] {
  try {
    return tokenizer.encode(text);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(error.code, { ...error.facts, ...factsOf(place) }, { cause: error });
  }
}

function tokenized(plan: Plan, checked: ValidatedInputs, rows: TokenRows, at: number): ValidatedInputs {
  const inputs = replaceText(plan, checked.inputs, rows, at);
  return { ...checked, inputs, length: Math.max(checked.length, inputs[0]!.shape[1]!) };
}

/** The filled tensors come first. */
function replaceText(plan: Plan, inputs: readonly Tensor[], rows: TokenRows, at: number): Tensor[] {
  const { fixedLength, filled } = plan;
  const length = fixedLength ?? rows.reduce((longest, ids) => Math.max(longest, ids.length), 1);
  const total = rows.length * length;
  if (total > MOST_IDS) {
    const detail = 'rows times tokens of the longest text: send long texts apart from many short ones';
    throw new Failure('input-too-large', { field: `inputs[${at}].data`, limit: MOST_IDS, got: total, detail });
  }
  return [...fillTensors(filled, rows, length), ...inputs.filter((_, each) => each !== at)];
}

function factsOf({ at, index }: Place): { field: string; index: number } {
  return { field: `inputs[${at}].data`, index };
}

function invalidText(place: Place, detail: string): Failure {
  return new Failure('text-invalid', { ...factsOf(place), detail });
}
