import type { Manifest, TokenizerRules } from './manifest.ts';
import type { Signature, TensorSignature } from './signature.ts';

/**
 * Longest text that may be tokenized, in UTF-16 code units: it is done at once, on the thread that every tenant shares. 8,192
 * tokens, the most that a manifest may allow, are about 40,000 units of English; 65,536 take 20 ms at 0.3 µs each.
 */
export const LONGEST_TEXT = 65_536;

/** Names of the graph inputs that tokenizing fills: ids first. */
export function tokenInputs({ ids, mask, typeIds }: TokenizerRules): string[] {
  return [ids, mask, typeIds].filter((name) => name !== undefined);
}

/** What callers send and get: one text a row in place of the inputs that tokenizing fills. */
export function publicSignature(graph: Signature, rules: TokenizerRules): Signature {
  const filled = tokenInputs(rules);
  const rows = graph.inputs.find(({ name }) => name === rules.ids)?.shape[0] ?? '';
  const others = graph.inputs.filter(({ name }) => !filled.includes(name));
  return { inputs: [{ name: rules.input, datatype: 'BYTES', shape: [rows] }, ...others], outputs: graph.outputs };
}

/** The inputs that a manifest may have rules for: those that callers send and those that tokenizing fills. */
export function ruledInputs(graph: Signature, rules: TokenizerRules): readonly TensorSignature[] {
  return [...publicSignature(graph, rules).inputs.slice(0, 1), ...graph.inputs];
}

/** Everything in which a manifest with a tokenizer does not fit its graph, as `manifest-invalid` lists it. */
export function tokenizerProblems(manifest: Manifest, graph: Signature): string[] {
  const rules = manifest.tokenizer;
  if (rules === undefined) return [];
  return [...nameProblems(rules, graph), ...inputProblems(rules, graph), ...limitProblems(manifest, rules, graph)];
}

function nameProblems(rules: TokenizerRules, graph: Signature): string[] {
  const problems: string[] = [];
  const filled = tokenInputs(rules);
  if (new Set(filled).size < filled.length) problems.push('tokenizer: ids, mask and typeIds name one input twice');
  if (graph.inputs.some(({ name }) => name === rules.input)) {
    problems.push(`tokenizer.input: the model has an input ${rules.input} of its own; choose another name`);
  }
  return problems;
}

function inputProblems(rules: TokenizerRules, graph: Signature): string[] {
  const ids = graph.inputs.find(({ name }) => name === rules.ids);
  const known = graph.inputs.map(({ name }) => name).join(', ');
  const problems = (['ids', 'mask', 'typeIds'] as const).flatMap((key) => {
    const name = rules[key];
    if (name === undefined) return [];
    const input = graph.inputs.find((each) => each.name === name);
    if (input === undefined) return [`tokenizer.${key}: the model has no input ${name}; it has ${known}`];
    if (input.datatype !== 'INT64' && input.datatype !== 'INT32') {
      return [`tokenizer.${key}: ${name} takes ${input.datatype}; ids are INT64 or INT32`];
    }
    if (input.shape.length !== 2)
      return [`tokenizer.${key}: ${name} has ${input.shape.length} dimensions; ids have two`];
    if (ids?.shape.length === 2 && input.shape.join() !== ids.shape.join()) {
      return [`tokenizer.${key}: ${name} has another shape than ${rules.ids}`];
    }
    return [];
  });
  return [...problems, ...forgottenInputs(rules, graph, ids)];
}

/** An input as long as the ids are cannot be sent by callers, who do not know how many tokens there are. */
function forgottenInputs(rules: TokenizerRules, graph: Signature, ids: TensorSignature | undefined): string[] {
  const length = ids?.shape[1];
  if (typeof length !== 'string' || length === '') return [];
  return graph.inputs
    .filter(({ name, shape }) => !tokenInputs(rules).includes(name) && shape.includes(length))
    .map(
      ({ name }) => `tokenizer: nothing fills ${name}, which is as long as ${rules.ids}; name it as mask or typeIds`,
    );
}

function limitProblems({ inputs, limits }: Manifest, rules: TokenizerRules, graph: Signature): string[] {
  const problems: string[] = [];
  const length = graph.inputs.find(({ name }) => name === rules.ids)?.shape[1];
  if (typeof length === 'number' && rules.maxTokens > length) {
    problems.push(`tokenizer.maxTokens: ${rules.maxTokens}, but ${rules.ids} has room for ${length}`);
  }
  if (typeof length === 'string' && rules.maxTokens > limits.maxLength) {
    problems.push(`tokenizer.maxTokens: ${rules.maxTokens} is above limits.maxLength, ${limits.maxLength}`);
  }
  const { maxLength = 0 } = Object.hasOwn(inputs, rules.input) ? (inputs[rules.input] ?? {}) : {};
  if (maxLength > LONGEST_TEXT) {
    problems.push(`inputs.${rules.input}.maxLength: at most ${LONGEST_TEXT} where texts are tokenized`);
  }
  return problems;
}
