import { Failure } from '../../failure.ts';
import { SECOND_MS } from '../../units.ts';
import type { Sample } from './check-constant.ts';
import { type Examination, mayShareRuns, runTogether } from './examination.ts';
import { distanceOf, isFloat } from './outputs.ts';
import type { Finding } from './report-writer.ts';
import type { Row } from './rows.ts';

const VALUES = { NaN: Number.NaN, infinity: Number.POSITIVE_INFINITY, '-infinity': Number.NEGATIVE_INFINITY };
const LIMIT_MS = 4 * SECOND_MS;
/** Long enough to call a run endless that callers cannot bring about. */
const MOST_MS = 2 * SECOND_MS;

/** What a value that is not finite does in one row of a run. */
type Effect = 'stays' | 'spreads' | 'is refused' | 'crashes' | 'loops';

/**
 * What NaN and infinities do. Where the manifest lets them through, one that ends or blocks the process throws `model-crashes` or
 * `validation-timeout`, and one that changes the answers of other rows is reported as `spreads`: such a model is treated as
 * one whose batch-mates matter. Elsewhere the gateway refuses them, and what they would do is only told.
 */
export async function checkNotFinite(
  examination: Examination,
  samples: readonly Sample[],
): Promise<{ readonly finding: Finding; readonly spreads: boolean }> {
  const inputs = examination.graph.inputs.filter(isFloat).map(({ name }) => name);
  if (inputs.length === 0) {
    return { finding: { outcome: 'skipped', detail: 'no input takes floating-point numbers' }, spreads: false };
  }
  const untilMs = examination.model.nowMs() + LIMIT_MS;
  const effects: { input: string; what: string; effect: Effect; isAllowed: boolean }[] = [];
  // What callers can send first: the time that there is belongs to it.
  const inOrder = [...inputs].sort((a, b) => Number(allows(examination, b)) - Number(allows(examination, a)));
  for (const input of inOrder) {
    const isAllowed = allows(examination, input);
    for (const [what, value] of Object.entries(VALUES)) {
      if (isAllowed && !inRange(examination, input, value)) continue;
      if (examination.model.nowMs() > untilMs) break;
      const effect = await effectOf(examination, samples, input, value);
      if (effect === undefined) break;
      if (isAllowed && (effect === 'crashes' || effect === 'loops')) throw refused(examination, input, what, effect);
      effects.push({ input, what, effect, isAllowed });
    }
  }
  const spreading = effects.filter(({ effect, isAllowed }) => isAllowed && effect === 'spreads');
  if (spreading.length > 0) {
    const where = [...new Set(spreading.map(({ input }) => input))].join(', ');
    const finding: Finding = {
      outcome: 'warning',
      detail: `NaN or infinity in ${where} changes the answers of other rows of the same run: runs are never shared across tenants`,
      advice: `Refuse them: remove \`allowNotFinite\` of ${where}, or fill missing values before the model.`,
    };
    return { finding, spreads: true };
  }
  return { finding: { outcome: 'passed', detail: summary(effects) }, spreads: false };
}

function allows({ manifest }: Examination, input: string): boolean {
  return Object.hasOwn(manifest.inputs, input) && manifest.inputs[input]?.allowNotFinite === true;
}

/** NaN is within every range; infinities are within those that are open. */
function inRange({ manifest }: Examination, input: string, value: number): boolean {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = manifest.inputs[input] ?? {};
  return !(value < min || value > max);
}

/** undefined: no time is left. */
async function effectOf(
  examination: Examination,
  samples: readonly Sample[],
  input: string,
  value: number,
): Promise<Effect | undefined> {
  const row = withFirst(samples[0]!.fed, input, value);
  const [before, after] = [samples[1] ?? samples[0]!, samples[2] ?? samples[0]!];
  const isShared = mayShareRuns(examination);
  const mostMs = allows(examination, input) ? undefined : MOST_MS;
  const ran = await runTogether(examination, isShared ? [before.fed, row, after.fed] : [row], mostMs);
  if (ran.kind === 'no-time') return undefined;
  if (ran.kind === 'crashed') return 'crashes';
  if (ran.kind === 'timed-out') return 'loops';
  if (ran.kind === 'refused') return 'is refused';
  if (!isShared || ran.kind === 'unsplittable') return 'stays';
  const calm = await runTogether(examination, [before.fed, samples[0]!.fed, after.fed]);
  if (calm.kind !== 'done') return calm.kind === 'no-time' ? undefined : 'stays';
  const mates = [0, 2].some((at) => distanceOf(calm.answers[at]!, ran.answers[at]!).relative > SAME);
  return mates ? 'spreads' : 'stays';
}

/** Runs of one size compute a row alike, whatever is in the others: eight units in the last place of FP32 are plenty. */
const SAME = 8 * 2 ** -23;

function withFirst(row: Row, input: string, value: number): Row {
  return row.map((tensor) => {
    if (tensor.name !== input) return tensor;
    const data = (tensor.data as Float32Array).slice();
    data[0] = value;
    return { ...tensor, data };
  });
}

function refused({ model }: Examination, input: string, what: string, effect: 'crashes' | 'loops'): Failure {
  const advice = `Remove \`allowNotFinite\` of ${input}, so that callers cannot send it, or mend the model.`;
  return effect === 'crashes'
    ? new Failure('model-crashes', { detail: `${what} in ${input} ends the process`, input, advice })
    : new Failure('validation-timeout', {
        detail: `${what} in ${input} makes a run longer than timeoutMs, ${model.timeoutMs} ms`,
        input,
        advice,
      });
}

type Effects = readonly { readonly input: string; readonly effect: Effect; readonly isAllowed: boolean }[];

function summary(effects: Effects): string {
  const allowed = effects.filter(({ isAllowed }) => isAllowed);
  if (allowed.length > 0) {
    const refusedToo = allowed.some(({ effect }) => effect === 'is refused') ? ', or is refused alone' : '';
    return `NaN and infinities that the manifest lets through stay in their row${refusedToo}`;
  }
  const bad = effects.filter(({ effect }) => effect !== 'stays' && effect !== 'is refused');
  if (bad.length === 0) return 'the gateway refuses NaN and infinities; in the model they would stay in their row';
  const what = bad.some(({ effect }) => effect === 'crashes')
    ? 'would end the process'
    : bad.some(({ effect }) => effect === 'loops')
      ? 'would make it run without end'
      : 'would change the answers of other rows';
  return `the gateway refuses NaN and infinities; in the model they ${what}, so leave \`allowNotFinite\` out`;
}
