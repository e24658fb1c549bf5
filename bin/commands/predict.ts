import type { Command } from 'commander';
import type { PendingPrediction, Prediction } from '../../clients/typescript/prediction.ts';
import type { RequestTensor } from '../../clients/typescript/schema.ts';
import { nested } from '../../clients/typescript/tensors.ts';
import { type GivenInputs, readInputs } from '../predict-inputs.ts';
import { printable } from '../printable.ts';
import { paint, renderTable } from '../table.ts';
import { type ActsFor, actingClient, forTerminal, SAMPLE_TENANT } from '../tenant-client.ts';

type PredictOptions = GivenInputs &
  ActsFor & {
    readonly version?: string;
    readonly async?: boolean;
    readonly json?: boolean;
  };

const MOST_ROWS = 20;
const MOST_ELEMENTS = 4;
const MOST_TEXT = 60;

export function addPredictCommand(program: Command): void {
  const collect = (value: string, before: readonly string[] = []) => [...before, value];
  program
    .command('predict <model>')
    .description('ask a model as a tenant does')
    .option('--text <text>', 'a text, for models that take nothing else; repeat it for more rows', collect)
    .option('--input <name=json>', 'an input by name, such as x=[[1,2,3,4]]; repeat it for each', collect)
    .option('--file <path>', 'a request of the Open Inference Protocol as JSON')
    .option('--version <n>', 'that version and no other')
    .option('--async', 'do not wait: print the id of the accepted prediction')
    .option('--tenant <id>', `tenant to ask as (default: ${SAMPLE_TENANT}, or the tenant of the key)`)
    .option('--url <url>', 'base URL of its region (SLUICE_URL; default: the one on this machine)')
    .option('--key <apiKey>', 'API key (SLUICE_API_KEY; default: of the sample tenant of that name, else the operator)')
    .option('--json', 'print JSON')
    .action(predict);
}

async function predict(model: string, options: PredictOptions): Promise<void> {
  const { client, url } = await actingClient(options);
  const { version } = options;
  try {
    const { inputs, outputs } = await readInputs(options, () => client.models.get(model, version));
    const startedMs = performance.now();
    const wishes = { version, outputs };
    const prediction = options.async
      ? await client.predict(model, inputs, { ...wishes, async: true })
      : await client.predict(model, inputs, wishes);
    const tookMs = performance.now() - startedMs;
    if (options.json) console.log(JSON.stringify({ ...prediction, took_ms: tookMs }, null, 2));
    else console.log(prediction.state === 'done' ? rendered(prediction, inputs, tookMs) : accepted(prediction, tookMs));
  } catch (error) {
    throw forTerminal(error, url);
  }
}

function rendered(prediction: Prediction, inputs: readonly RequestTensor[], tookMs: number): string {
  const { outputs, model, version, variant, region, cache, degraded } = prediction;
  const [first] = inputs;
  const texts = inputs.length === 1 && first?.datatype === 'BYTES' ? first : undefined;
  const columns = [...(texts === undefined ? [] : [texts]), ...outputs].map((column) => ({
    title: printable(column.name),
    rows: nested(column as (typeof outputs)[number]),
  }));
  const count = Math.max(0, ...columns.map(({ rows }) => rows.length));
  const shown = Math.min(count, MOST_ROWS);
  const cells = Array.from({ length: shown }, (_, row) => [row + 1, ...columns.map(({ rows }) => cell(rows[row]))]);
  const facts = [
    `${variant ?? model}@${version}`,
    ...(region === undefined ? [] : [region]),
    `${tookMs.toFixed(1)} ms`,
    ...(cache === 'none' ? [] : [`cache ${cache}`]),
    ...(variant === undefined ? [] : [`asked for ${model}`]),
  ];
  const lines = [renderTable(['row', ...columns.map(({ title }) => title)], cells)];
  if (count > shown) lines.push(paint('dim', `… ${count - shown} more rows (--json has them)`));
  lines.push(paint('dim', facts.join(' · ')));
  if (degraded !== undefined) lines.push(paint('yellow', `Degraded: a fallback answered (${degraded}).`));
  return lines.join('\n');
}

function accepted({ id, version }: PendingPrediction, tookMs: number): string {
  return `${id}\n${paint('dim', `accepted for version ${version} in ${tookMs.toFixed(1)} ms: GET /v2/predictions/${id}`)}`;
}

/** A value of one row: numbers in three digits, of many the first. */
function cell(value: unknown): string {
  if (Array.isArray(value)) {
    const first = value.slice(0, MOST_ELEMENTS).map(cell).join(', ');
    return value.length > MOST_ELEMENTS ? `[${first}, … ${value.length}]` : `[${first}]`;
  }
  if (typeof value === 'number') return String(Number(value.toPrecision(3)));
  if (value === undefined) return '';
  const text = value === null ? 'NaN' : printable(String(value));
  return text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT - 1)}…` : text;
}
