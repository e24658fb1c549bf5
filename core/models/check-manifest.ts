import { describeIssues } from '../describe-issues.ts';
import { Failure } from '../failure.ts';
import type { Datatype } from '../inference/tensor.ts';
import { feedbackProblems } from '../quality/feedback/known-labels.ts';
import { fixedOutputProblems } from './fixed-outputs.ts';
import { type InputRules, type Manifest, manifestSchema } from './manifest.ts';
import type { Signature } from './signature.ts';
import { ruledInputs, tokenizerProblems } from './tokenized-signature.ts';

const NOT_WHOLE: ReadonlySet<Datatype> = new Set(['FP16', 'FP32', 'FP64']);
const BIG: ReadonlySet<Datatype> = new Set(['INT64', 'UINT64']);

/** The manifest with its defaults, or everything that is wrong with it: `<place>: <what>`. */
export function readManifest(manifest: unknown): Manifest | readonly string[] {
  const parsed = manifestSchema.safeParse(manifest);
  return parsed.success ? parsed.data : describeIssues(parsed.error, 'manifest');
}

/** The manifest with its defaults, or `manifest-invalid` with every problem at once. */
export function parseManifest(manifest: unknown): Manifest {
  const read = readManifest(manifest);
  if ('name' in read) return read;
  throw invalid(read);
}

/** Throws `manifest-invalid` with every rule that does not fit the graph. */
export function checkAgainstSignature(manifest: Manifest, signature: Signature): void {
  const problems = tokenizerProblems(manifest, signature);
  const { tokenizer } = manifest;
  const ruled = tokenizer === undefined ? signature.inputs : ruledInputs(signature, tokenizer);
  const datatypes = new Map(ruled.map((input) => [input.name, input.datatype]));
  for (const [name, rules] of Object.entries(manifest.inputs)) {
    const datatype = datatypes.get(name);
    if (datatype === undefined) {
      problems.push(`inputs.${name}: the model has no such input; it has ${[...datatypes.keys()].join(', ')}`);
    } else {
      for (const problem of rulesProblems(rules, datatype)) problems.push(`inputs.${name}.${problem}`);
    }
  }
  problems.push(...feedbackProblems(manifest, signature));
  const { fallback } = manifest;
  if (fallback !== undefined && 'outputs' in fallback)
    problems.push(...fixedOutputProblems(fallback.outputs, signature));
  if (problems.length > 0) throw invalid(problems);
}

function rulesProblems(rules: InputRules, datatype: Datatype): string[] {
  const problems: string[] = [];
  const numeric = ['min', 'max', 'pad', 'allowNotFinite'] as const;
  if (datatype === 'BYTES') {
    for (const rule of numeric) if (rules[rule] !== undefined) problems.push(`${rule}: not for text`);
    return problems;
  }
  if (rules.maxLength !== undefined) problems.push('maxLength: for text only');
  if (rules.min !== undefined && rules.max !== undefined && rules.min > rules.max) problems.push('min: above max');
  if (rules.pad !== undefined && !isElement(rules.pad, datatype)) problems.push(`pad: not a value of ${datatype}`);
  return problems;
}

function isElement(value: number, datatype: Datatype): boolean {
  if (NOT_WHOLE.has(datatype)) return true;
  if (BIG.has(datatype)) return Number.isSafeInteger(value) && (datatype === 'INT64' || value >= 0);
  if (datatype === 'BOOL') return value === 0 || value === 1;
  const bits = Number(/\d+$/.exec(datatype)?.[0]);
  const [least, most] = datatype.startsWith('U') ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
  return Number.isInteger(value) && value >= least && value <= most;
}

function invalid(problems: readonly string[]): Failure {
  return new Failure('manifest-invalid', { problems });
}
