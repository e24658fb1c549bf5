import { Failure } from '../../failure.ts';
import { SECOND_MS } from '../../units.ts';
import type { Sample } from './check-constant.ts';
import { type Examination, placeOf } from './examination.ts';
import type { Ran } from './model-under-test.ts';
import { holdsNaN } from './outputs.ts';
import { longestRow, type Probe, probesOf, rulesOf, withValue } from './probes.ts';
import type { Finding, Say } from './report-writer.ts';
import { freeLength, type Row } from './rows.ts';

const LIMIT_MS = 12 * SECOND_MS;
/** For a search after all probes: 63 halvings of a row each, at the most. */
const SEARCH_MS = 3 * SECOND_MS;
const MOST_NAMED = 4;

type Tried = { readonly probe: Probe; readonly ran: Ran };

/** Answered probes: what a hostile mate in a run may be. */
type Found = { readonly finding: Finding; readonly answered: readonly Row[] };

/**
 * The edges of what the manifest allows: the type's least and greatest values, -1, ids far out, denormals, empty and longest texts.
 * Throws `model-crashes` for one that ends the process and `validation-timeout` for one that the model does not finish, naming the
 * input, what stood in it and the rule that would exclude it. Clean refusals and NaN are warnings.
 */
export async function checkProbes(examination: Examination, samples: readonly Sample[], say: Say): Promise<Found> {
  const base = samples[0]!.sent;
  const tried: Tried[] = [];
  const { model } = examination;
  const untilMs = model.nowMs() + LIMIT_MS;
  let isWhole = true;
  let said = '';
  for (const probe of probesOf(examination, base)) {
    if (model.nowMs() > untilMs) {
      isWhole = false;
      break;
    }
    if (probe.input !== said) {
      said = probe.input;
      say(`probing ${said}`);
    }
    const ran = await model.run(probe.fed);
    if (ran.kind === 'crashed' || ran.kind === 'timed-out') throw refusal(examination, probe, ran.kind);
    if (ran.kind === 'no-time') {
      isWhole = false;
      break;
    }
    tried.push({ probe, ran });
  }
  const answered = tried.filter(({ ran }) => ran.kind === 'done').map(({ probe }) => probe.fed);
  return { finding: await findingOf(examination, base, { tried, isWhole }), answered };
}

function refusal({ model }: Examination, probe: Probe, how: 'crashed' | 'timed-out'): Failure {
  const { input, what, rule } = probe;
  const advice =
    rule === undefined
      ? `No rule of the manifest excludes this: mend the model, so that it takes every ${input}.`
      : `Set \`${rule}\` in the manifest so that it is excluded, or mend the model.`;
  const facts = { input, probe: what, ...(rule === undefined ? {} : { rule }), advice };
  return how === 'crashed'
    ? new Failure('model-crashes', {
        detail: `${input}: ${what} ends the process, and the manifest allows it`,
        ...facts,
      })
    : new Failure('validation-timeout', {
        detail: `${input}: ${what} runs longer than timeoutMs, ${model.timeoutMs} ms, and the manifest allows it`,
        ...facts,
      });
}

type Outcome = { readonly tried: readonly Tried[]; readonly isWhole: boolean };

async function findingOf(examination: Examination, base: Row, { tried, isWhole }: Outcome): Promise<Finding> {
  const problems: string[] = [];
  const advice: string[] = [];
  const refused = tried.filter(({ ran }) => ran.kind === 'refused');
  for (const input of new Set(refused.map(({ probe }) => probe.input))) {
    const own = refused.filter(({ probe }) => probe.input === input);
    const more = own.length > 2 ? ` and ${own.length - 2} more` : '';
    const what = own.slice(0, 2).map(({ probe }) => probe.what);
    problems.push(`${input}: the model refuses ${what.join(', ')}${more} (${reasonOf(own[0]!)})`);
    const rule = await ruleFor(examination, base, input, tried);
    if (rule !== undefined) advice.push(rule);
  }
  const nan = tried.filter(({ ran }) => ran.kind === 'done' && holdsNaN(ran.outputs)).map(({ probe }) => probe);
  if (nan.length > 0) {
    problems.push(`NaN is the answer to ${shortList(nan.map(({ input, what }) => `${input} = ${what}`))}`);
    const rules = new Set(nan.flatMap(({ rule }) => (rule === undefined ? [] : [`\`${rule}\``])));
    if (rules.size > 0) advice.push(`Set ${shortList([...rules])} to what the model was made for.`);
  }
  if (!isWhole) {
    problems.push(`only ${tried.length} probes were made in ${LIMIT_MS / SECOND_MS} s`);
    advice.push('Make a row faster, so that all edges can be tried.');
  }
  if (problems.length === 0) {
    return {
      outcome: 'passed',
      detail: `${tried.length} inputs at the edges of what the manifest allows are answered`,
    };
  }
  const detail = shortList(problems, '; ');
  return { outcome: 'warning', detail, ...(advice.length > 0 && { advice: advice.slice(0, MOST_NAMED).join(' ') }) };
}

function reasonOf({ ran }: Tried): string {
  return ran.kind === 'refused' ? placeOf(ran.reason) : ran.kind;
}

function shortList(items: readonly string[], separator = ', '): string {
  const more = items.length > MOST_NAMED ? `${separator}and ${items.length - MOST_NAMED} more` : '';
  return items.slice(0, MOST_NAMED).join(separator) + more;
}

/** The rules that keep out what the model refuses, found by trying: one refused row fails the run that it is in. */
async function ruleFor(
  examination: Examination,
  base: Row,
  input: string,
  tried: readonly Tried[],
): Promise<string | undefined> {
  const own = tried.filter(({ probe }) => probe.input === input);
  const isRefused = ({ ran }: Tried) => ran.kind === 'refused';
  if (own.some((each) => isRefused(each) && each.probe.rule === 'limits.maxLength')) {
    const length = freeLength(examination.signature, base)!;
    const most = await greatest(examination, BigInt(length), BigInt(examination.maxLength), (at) =>
      longestRow(examination, base, Number(at)),
    );
    return most === BigInt(length)
      ? `No other length than ${length} was answered: if it is fixed, export it so.`
      : `Set \`limits.maxLength\` to ${most}.`;
  }
  const values = own.filter(({ probe }) => typeof probe.value === 'bigint' && probe.what.endsWith('in one element'));
  const single = values.length > 0 ? values : own.filter(({ probe }) => typeof probe.value === 'bigint');
  const worst = single.find((each) => isRefused(each) && (each.probe.value as bigint) > 0n);
  if (worst === undefined) return `Set \`inputs.${input}.min\` to exclude it.`;
  const good = single
    .filter(({ ran }) => ran.kind === 'done')
    .map(({ probe }) => probe.value as bigint)
    .filter((value) => value < (worst.probe.value as bigint));
  if (good.length === 0) return `Set \`inputs.${input}.max\` to exclude it.`;
  const from = good.reduce((a, b) => (a > b ? a : b));
  const most = await greatest(examination, from, worst.probe.value as bigint, (at) => {
    const fed = withValue(examination, base, input, at);
    return fed && { fed };
  });
  const least = rulesOf(examination, input).min === undefined ? `\`inputs.${input}.min\` to 0 and ` : '';
  const wraps = least !== '' && good.includes(-1n) ? ' (-1 is silently taken for the last)' : '';
  return `Set ${least}\`inputs.${input}.max\` to ${most}${wraps}.`;
}

/** The greatest number that is answered, if all above some number are refused: `low` is answered and `high` is not. */
async function greatest(
  { model }: Examination,
  low: bigint,
  high: bigint,
  probeAt: (at: bigint) => { readonly fed: Row } | undefined,
): Promise<bigint> {
  const untilMs = model.nowMs() + SEARCH_MS;
  let answered = low;
  let refused = high;
  while (refused - answered > 1n && model.nowMs() < untilMs) {
    const middle = answered + (refused - answered) / 2n;
    const probe = probeAt(middle);
    const ran = probe && (await model.run(probe.fed));
    if (ran?.kind === 'done') answered = middle;
    else refused = middle;
  }
  return answered;
}
