import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Bench } from './bench.ts';
import { describeMachine } from './machine.ts';
import type { Measurement, Row } from './measurement.ts';
import { addedLatency } from './measurements/added-latency.ts';
import { breaker } from './measurements/breaker.ts';
import { cacheHit } from './measurements/cache-hit.ts';
import { awsCalls } from './measurements/deployed-aws-calls.ts';
import { bundles } from './measurements/deployed-bundles.ts';
import { inferCpu } from './measurements/deployed-infer-cpu.ts';
import { resultWait } from './measurements/deployed-result-wait.ts';
import { synth } from './measurements/deployed-synth.ts';
import { encoderThroughput } from './measurements/encoder-throughput.ts';
import { fairness } from './measurements/fairness.ts';
import { idleMemory } from './measurements/idle-memory.ts';
import { mixedLengths } from './measurements/mixed-lengths.ts';
import { plainServerComparison } from './measurements/plain-server-comparison.ts';
import { quota } from './measurements/quota.ts';
import { recorder } from './measurements/recorder.ts';
import { soak } from './measurements/soak.ts';
import { startTime } from './measurements/start-time.ts';
import { telemetryCost } from './measurements/telemetry-cost.ts';
import { tokenize } from './measurements/tokenize.ts';
import { trivialThroughput } from './measurements/trivial-throughput.ts';
import { OtherLoad } from './other-load.ts';
import { type Report, renderReport, writeReport } from './report.ts';

const MEASUREMENTS: readonly Measurement[] = [
  encoderThroughput,
  mixedLengths,
  trivialThroughput,
  addedLatency,
  cacheHit,
  breaker,
  fairness,
  quota,
  startTime,
  idleMemory,
  tokenize,
  telemetryCost,
  recorder,
  plainServerComparison,
  inferCpu,
  awsCalls,
  resultWait,
  bundles,
  synth,
  soak,
];
/** The budgets are for two cores: a larger machine measures on its first two. */
const CORES = 2;

const USAGE = `npm run bench -- [name …] [--quick] [--profile folder]

${MEASUREMENTS.map(({ name, summary, byDefault }) => `  ${name.padEnd(13)}${summary}${byDefault ? '' : ' (only if named)'}`).join('\n')}

  --quick    short runs: an impression in minutes
  --profile  write CPU profiles of the platform's main process to a folder
`;

const { values: options, positionals: names } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, profile: { type: 'string' }, help: { type: 'boolean' } },
});
const unknown = names.filter((name) => MEASUREMENTS.every((each) => each.name !== name));
if (options.help || unknown.length > 0) {
  console.log(unknown.length > 0 ? `There is no measurement ${unknown.join(', ')}.\n\n${USAGE}` : USAGE);
  process.exit(unknown.length > 0 ? 2 : 0);
}
if (availableParallelism() > CORES) process.exit(runOnFirstCores());
process.exitCode = (await main()) ? 0 : 1;

async function main(): Promise<boolean> {
  const profileFolder = options.profile === undefined ? undefined : resolve(options.profile);
  if (profileFolder !== undefined) mkdirSync(profileFolder, { recursive: true });
  const bench = new Bench({ quick: options.quick, profileFolder });
  process.once('SIGINT', () => process.exit(130));
  process.once('exit', () => bench.dispose());
  const report: Report = {
    date: new Date().toISOString(),
    machine: describeMachine(),
    quick: options.quick,
    rows: await measureAll(bench),
  };
  console.log(renderReport(report));
  console.log(`All numbers: ${writeReport(report)}`);
  return report.rows.every((row) => row.met !== false);
}

/** One that breaks off is a line in the report and keeps none of the others from running. */
async function measureAll(bench: Bench): Promise<Report['rows']> {
  const chosen = MEASUREMENTS.filter(({ name, byDefault }) => (names.length === 0 ? byDefault : names.includes(name)));
  const others = new OtherLoad();
  const rows: Report['rows'][number][] = [];
  for (const { name, summary, run } of chosen) {
    console.error(`${name}: ${summary}`);
    others.take();
    const measured = await run(bench).catch((error: unknown): Row[] => {
      console.error(error);
      const reason = error instanceof Error ? error.message : String(error);
      return [{ what: summary, measured: `not measured: ${reason}`, met: false, figures: {} }];
    });
    const otherLoad = others.take();
    rows.push(...measured.map((row) => ({ measurement: name, ...row, otherLoad })));
  }
  others.stop();
  return rows;
}

/** Runs this command again with all its children bound to the first cores; affinity is inherited. */
function runOnFirstCores(): number {
  const command = ['-c', `0-${CORES - 1}`, process.execPath, ...process.argv.slice(1)];
  const { status, error } = spawnSync('taskset', command, { stdio: 'inherit' });
  if (error !== undefined)
    throw new Error('measuring on two cores of more needs taskset (util-linux)', { cause: error });
  return status ?? 1;
}
