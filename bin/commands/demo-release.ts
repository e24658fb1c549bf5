import { setTimeout as delay } from 'node:timers/promises';
import type { ReleaseAuditJson, ReleaseDetailJson, ReleaseStartedJson } from '../../core/api/release-json.ts';
import type { SampleCredentials } from '../../embedded/sample-data.ts';
import { type Candidate, type ReleaseFolders, writeReleaseFolders } from '../../models/release-candidates.ts';
import { type Connection, request } from '../client.ts';
import { type Live, openLive, SILENT } from '../live.ts';
import { readModelFolder } from '../model-folder.ts';
import { duration } from '../report.ts';
import { paint, renderTable } from '../table.ts';
import { type Counts, startTraffic } from './demo-traffic.ts';
import { pushModelFolder } from './model-push.ts';

/** What the tour needs of the running platform. */
export type ReleaseTour = {
  readonly credentials: SampleCredentials;
  readonly operator: Connection;
  /** Folder of the sample model whose next versions are released. */
  readonly sentiment: string;
  /** Empty, and removed by whoever made it. */
  readonly scratch: string;
};

type Trial = {
  readonly kind: Candidate;
  readonly what: string;
  readonly expected: 'promoted' | 'rolled-back';
  /** Whether it ended so for this very reason. */
  readonly isReason: (release: ReleaseDetailJson) => boolean;
};

/** `because`: what its end, or that of its last step, is put down to. */
type Ending = {
  readonly because: string;
  readonly trial: Trial;
  readonly release: ReleaseDetailJson;
  readonly tookMs: number;
  readonly counts: Counts;
};

/** The one that goes all the way goes first. */
const TRIALS: readonly Trial[] = [
  { kind: 'identical', what: 'the same again', expected: 'promoted', isReason: () => true },
  {
    kind: 'slow',
    what: 'takes some milliseconds more',
    expected: 'rolled-back',
    isReason: (release) => hasFailed(release, 'latency-') && /latency/.test(release.why ?? ''),
  },
  {
    kind: 'crashing',
    what: 'ends its process on some texts',
    expected: 'rolled-back',
    isReason: ({ why }) => /crashed its runner/.test(why ?? ''),
  },
  {
    kind: 'permuted',
    what: 'labels have changed places',
    expected: 'rolled-back',
    isReason: (release) => hasFailed(release, 'agreement') && /agree/.test(release.why ?? ''),
  },
];

/**
 * Holds of seconds in place of ten minutes. Each request draws its own lot, as this machine has few users. Of compute only a hundredfold counts, so that the slow
 * one ends by what its callers wait for, and not by what it costs.
 */
const PLAN = {
  assignBy: 'request',
  steps: [
    { shadow: 50, hold: { seconds: 2, minRequests: 60 } },
    { setWeight: 50, hold: { seconds: 2, minRequests: 100 } },
    { setWeight: 100 },
  ],
  analysis: { computeGrowth: 100 },
  watch: { seconds: 2 },
};
const LOOK_EVERY_MS = 200;
/** Well beyond the half a minute that it takes on an idle machine. */
const LIMIT_MS = 150_000;
/** New requests are off a version that was rolled back within two seconds. */
const OFF_WITHIN_MS = 2000;
/** … and then are watched for a little longer. */
const AFTERWARDS_MS = 1000;

/** Releases four candidates at once, under traffic. True if each ended as it should, for its own reason, and no caller saw an error. */
export async function runReleaseDemo(tour: ReleaseTour): Promise<boolean> {
  // The plan of the sample tenant is meant for less than four models under load.
  await request(tour.operator, 'PATCH', '/control/v1/tenants/acme', { plan: 'enterprise' });
  const live = openLive(process.stderr);
  const endings: Promise<Ending>[] = [];
  for (const trial of TRIALS) {
    live.doing(`pushing two versions of release-${trial.kind}`);
    const folders = await writeReleaseFolders(tour.sentiment, tour.scratch, trial.kind);
    const version = await pushBoth(tour, folders);
    live.line(`… version ${version} of ${folders.model} is released: ${trial.what}`);
    const ending = release(tour, trial, { model: folders.model, version }, live);
    // Whatever fails is thrown below, when the others have ended too.
    ending.catch(() => {});
    endings.push(ending);
  }
  live.end();
  const ended: Ending[] = [];
  for (const each of await Promise.allSettled(endings)) {
    if (each.status === 'rejected') throw each.reason;
    ended.push(each.value);
  }
  console.log(renderTable(HEAD, ended.map(rowOf)));
  return ended.every(isAsExpected);
}

/** The number of the second, which is not stable. */
async function pushBoth({ operator }: ReleaseTour, { stable, candidate }: ReleaseFolders): Promise<string> {
  const numbers: string[] = [];
  for (const folder of [stable, candidate]) {
    const outcome = await pushModelFolder(operator, await readModelFolder(folder), SILENT);
    if (outcome.state === 'refused')
      throw new Error(`${folder} was refused: ${outcome.problem.detail ?? outcome.problem.code}`);
    numbers.push(outcome.version.version);
  }
  return numbers[1]!;
}

async function release(
  { operator, credentials }: ReleaseTour,
  trial: Trial,
  { model, version }: { readonly model: string; readonly version: string },
  live: Live,
): Promise<Ending> {
  const { url, apiKey } = credentials.tenants.find(({ tenant }) => tenant === 'acme')!;
  const traffic = startTraffic({ url, apiKey, model, candidate: version });
  try {
    const path = `/control/v1/models/${model}/releases`;
    const startedMs = performance.now();
    const { id } = await request<ReleaseStartedJson>(operator, 'POST', path, {
      version,
      plan: PLAN,
      reason: trial.what,
    });
    for (let step: number | null = 0; ; await delay(LOOK_EVERY_MS)) {
      const now = await request<ReleaseDetailJson>(operator, 'GET', `/control/v1/releases/${id}`);
      const hasEnded = now.state === 'promoted' || now.state === 'rolled-back';
      const tookMs = performance.now() - startedMs;
      if (now.step !== step && !hasEnded) live.line(`  ${model}: ${stepOf(now)} after ${duration(tookMs)}`);
      step = now.step;
      // Its owner would not know which texts these are: they come once callers are on it.
      if (trial.kind === 'crashing' && now.weight_percent > 0) traffic.sendCues();
      if (!hasEnded && tookMs < LIMIT_MS) continue;
      if (now.state === 'rolled-back') traffic.expectNoneAfter(performance.now() + OFF_WITHIN_MS);
      live.line(`  ${model}: ${now.state} after ${duration(tookMs)}`);
      await delay(OFF_WITHIN_MS + AFTERWARDS_MS);
      const because = now.why ?? (await lastStepReason(operator, id));
      return { trial, release: now, because, tookMs, counts: await traffic.stop() };
    }
  } finally {
    await traffic.stop();
  }
}

async function lastStepReason(operator: Connection, id: string): Promise<string> {
  const path = `/control/v1/releases/${id}/audits`;
  const { items } = await request<{ readonly items: readonly ReleaseAuditJson[] }>(operator, 'GET', path);
  return items.findLast(({ what }) => what.endsWith(' began'))?.why ?? '';
}

function stepOf({ state, step, steps, weight_percent: weight, shadow_percent: shadow }: ReleaseDetailJson): string {
  const share = shadow > 0 ? `${shadow} % shadowed` : `${weight} % on it`;
  return state === 'scaling'
    ? `waits for warm workers (step ${step} of ${steps})`
    : `step ${step} of ${steps}, ${share}`;
}

function hasFailed({ verdict }: ReleaseDetailJson, check: string): boolean {
  return verdict?.checks.some(({ name, outcome }) => name.startsWith(check) && outcome === 'fail') ?? false;
}

function isAsExpected({ trial, release: { state, ...others }, counts }: Ending): boolean {
  const isReason = trial.isReason({ state, ...others });
  return state === trial.expected && isReason && counts.errors === 0 && counts.late === 0 && counts.answered > 0;
}

const HEAD = ['', 'version 2', 'came to', 'after', 'because', 'requests', 'by version 2', 'errors', 'too late'];

function rowOf(ending: Ending): (string | number)[] {
  const { trial, release, because, tookMs, counts } = ending;
  return [
    isAsExpected(ending) ? paint('green', 'ok') : paint('red', 'NOT AS EXPECTED'),
    trial.what,
    release.state,
    duration(tookMs),
    wrap(because, 44),
    counts.answered + counts.errors,
    counts.touched,
    counts.errors,
    counts.late,
  ];
}

/** Breaks a sentence at spaces, for a column of a table. */
function wrap(text: string, width: number): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1)!;
    if (last !== '' && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.join('\n');
}
