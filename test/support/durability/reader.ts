import { checkFiles } from './check-files.ts';
import { JobChecks } from './check-jobs.ts';
import { checkLimits } from './check-limits.ts';
import { RecordChecks } from './check-records.ts';
import { Exchanges } from './exchanges.ts';
import { readHistory } from './history.ts';
import { openRegionUnderTest, type RegionUnderTest, storyFiles } from './region-under-test.ts';
import { StoryClock } from './story-clock.ts';
import { Findings } from './verdict.ts';

/*
 * The reader of a story: a process of its own that opens what the kills have left, lets the worker finish the backlog, holds
 * every answer in the history against what is there now, and writes its verdict to its standard output.
 */
const QUIET_MS = 20_000;
/** Answers that say the platform itself is broken; nothing in a story breaks a disk or a file. */
const BROKEN = new Set([
  'internal',
  'storage-unavailable',
  'record-damaged',
  'artifact-missing',
  'artifact-damaged',
  'model-load-failed',
]);

export type ReaderTask = { readonly folder: string; readonly offsetMs: number; readonly patienceMs: number };

async function read({ folder, offsetMs, patienceMs }: ReaderTask): Promise<Findings> {
  const files = storyFiles(folder);
  const entries = readHistory(files.history);
  const findings = new Findings();
  const exchanges = new Exchanges(entries);
  const clock = new StoryClock(entries.findLast((entry) => entry.e === 'jumped')?.offsetMs ?? offsetMs);
  for (const { op, told } of exchanges.all) {
    findings.count(told === undefined ? 'questions cut off' : 'answers');
    if (told?.is === 'refused' && BROKEN.has(told.code)) {
      const isErased = 'tenant' in op && exchanges.erasedAfter(op.tenant, -1) !== 'no';
      if (!isErased) findings.report('broke', `${JSON.stringify(op)}: ${JSON.stringify(told)}`);
    }
  }
  const region = await openRegionUnderTest({ folder, clock });
  const jobs = new JobChecks(region, exchanges, findings, patienceMs);
  const records = new RecordChecks(region, exchanges, findings);
  await records.check();
  await jobs.check();
  await untilQuiet(region);
  await checkLimits(region, exchanges, findings, patienceMs);
  await records.complete();
  await region.close();
  checkFiles(files.data, findings);
  const again = await openRegionUnderTest({ folder, clock });
  await jobs.checkAgain(again);
  await again.close();
  return findings;
}

/** Jobs that nobody was told of are run too. */
async function untilQuiet({ platform, gateway }: RegionUnderTest): Promise<void> {
  const { queue, capacity, clock } = platform;
  const untilMs = performance.now() + QUIET_MS;
  while (performance.now() < untilMs) {
    await clock.sleep(120);
    const depths = await Promise.all([queue.depth('default', 'interactive'), queue.depth('default', 'bulk')]);
    const [report] = await capacity.read('default', clock.nowMs());
    if (depths.every((depth) => depth === 0) && report?.backlogMs === 0) break;
  }
  gateway.stopAccepting();
}

const findings = await read(JSON.parse(process.argv[2]!) as ReaderTask);
process.stdout.write(JSON.stringify(findings.verdict()), () => process.exit(0));
