import { type Command, InvalidArgumentError } from 'commander';
import type { ReplayJson } from '../../core/api/replay-json.ts';
import { request } from '../client.ts';
import { connect, type RemoteOptions, remote } from '../options.ts';
import { progress } from '../output.ts';
import { paint, renderTable } from '../table.ts';

type ReplayOptions = RemoteOptions & {
  readonly captured?: boolean;
  readonly limit?: number;
  readonly tenant?: string;
};

const STOPPED: Readonly<Record<NonNullable<ReplayJson['stopped']>, string>> = {
  time: 'time was up',
  crashes: 'a version ended its process too often',
  cancelled: 'the request was cancelled',
};
/** Shown of each on a terminal; --json has more. */
const MOST_SHOWN = 10;

/** `sluice model replay`: exit code 0 if there were inputs and all agree, else 1. */
export function addReplayCommand(model: Command): void {
  remote(model.command('replay <model> <from> <to>'))
    .description('run the same inputs through two versions and compare; <to> may be <model>@<version>')
    .option('--captured', 'captured predictions of consenting tenants instead of the golden pairs of <from>')
    .option('--limit <n>', 'inputs at the most, up to 1000', wholeNumber)
    .option('--tenant <id>', 'captured predictions of this tenant alone')
    .action(replay);
}

async function replay(name: string, from: string, to: string, options: ReplayOptions): Promise<void> {
  const [toModel, version] = to.includes('@') ? to.split('@') : [undefined, to];
  progress(`replaying ${options.captured ? 'captured' : 'golden'} inputs through ${name} ${from} and ${to}`);
  const path = `/control/v1/models/${encodeURIComponent(name)}/replays`;
  const report = await request<ReplayJson>(await connect(options), 'POST', path, {
    from,
    to: version,
    to_model: toModel,
    source: options.captured ? 'captured' : 'golden',
    limit: options.limit,
    tenant: options.tenant,
  });
  if (options.json) console.log(JSON.stringify(report, null, 2));
  else printReport(report);
  if (report.compared === 0 || report.agree < report.compared) process.exitCode = 1;
}

function printReport(report: ReplayJson): void {
  console.log(renderTable(['version', 'p50 ms', 'p99 ms', 'refused', 'crashed', 'timed out'], sideRows(report)));
  if (report.outputs.length > 0) {
    const head = ['output', 'largest difference', 'p99 difference', 'labels changed', 'incomparable'];
    console.log(renderTable(head, report.outputs.map(outputRow)));
  }
  const changes = report.outputs.flatMap((output) => (output.kind === 'labels' ? output.changes : []));
  if (changes.length > 0) {
    const rows = changes.slice(0, MOST_SHOWN).map((change) => [change.from, change.to, change.count]);
    console.log(renderTable(['label', 'became', 'times'], rows));
  }
  for (const line of summary(report)) console.log(line);
}

function sideRows({ from, to }: ReplayJson): (string | number)[][] {
  return [from, to].map((side) => [
    `${side.model}@${side.version}`,
    milliseconds(side.p50_ms),
    milliseconds(side.p99_ms),
    side.refused,
    side.crashed,
    side.timed_out,
  ]);
}

function outputRow(output: ReplayJson['outputs'][number]): (string | number)[] {
  return output.kind === 'numbers'
    ? [output.name, short(output.largest_difference), short(output.p99_difference), '', output.incomparable]
    : [output.name, '', '', `${output.changed} of ${output.labels}`, output.incomparable];
}

function summary(report: ReplayJson): string[] {
  const { inputs, compared, agree, differ, both_failed: bothFailed, stopped, differing } = report;
  if (inputs === 0) return [paint('yellow', 'There is nothing to replay: nothing was captured, or it has expired.')];
  const count = (number: number) => number.toLocaleString('en');
  const why = stopped === null ? '' : `: ${STOPPED[stopped]}`;
  const lines = [`${count(compared)} of ${count(inputs)} compared${why}`];
  if (compared > 0 && agree === compared) lines.push(paint('green', 'All agree.'));
  if (differ > 0) lines.push(paint('red', `${count(differ)} differ: ${shown(differing, differ)}`));
  if (bothFailed > 0) lines.push(paint('yellow', `${count(bothFailed)} failed on both.`));
  return lines;
}

function shown(differing: readonly string[], differ: number): string {
  const first = differing.slice(0, MOST_SHOWN).join(', ');
  return differ > MOST_SHOWN ? `${first}, …` : first;
}

function milliseconds(ms: number | null): number | string {
  return ms === null ? '-' : Number(ms.toPrecision(3));
}

function short(difference: number): number {
  return Number(difference.toPrecision(3));
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('not a whole number above 0.');
  return number;
}
