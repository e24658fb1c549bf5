import { Failure } from '../../failure.ts';
import type { Caller } from '../../inference/request.ts';
import type { FoundPrediction, GivenFeedback, KeptPrediction } from '../../ports/feedbacks.ts';
import type { Platform } from '../../ports/platform.ts';
import { lotOf } from '../../release/release.ts';
import { MINUTE_MS } from '../../units.ts';
import type { Recording } from '../recorder.ts';
import { knownLabels, readLabels } from './known-labels.ts';

type FeedbackPorts = Pick<Platform, 'feedbacks' | 'jobs' | 'registry' | 'releases' | 'clock'> & Recording;

/** The truth of a prediction as a caller tells it. */
export type Truth = {
  /** Of a prediction of several rows a label for each. */
  readonly label: string | number | readonly (string | number)[];
  /** When it became known. */
  readonly knownAtMs: number | undefined;
};

/** Workers keep a prediction behind its answer, which may be asked about at once: it is looked for again after this. */
const KEPT_WITHIN_MS = 250;
/** Clocks of callers differ from ours by so much. */
const CLOCK_SKEW_MS = 5 * MINUTE_MS;

/**
 * Takes the true label of a prediction and counts it for the version that answered, today. `counted`: the first; `again`: the same was given before.
 *
 * `prediction-unknown` (also another tenant's, of a browser token another user's, an answer of the cache or a fixed fallback), `feedback-not-kept`, `feedback-too-late`, `feedback-conflict` (another label before: the first stays), `label-unknown`, `request-invalid`.
 */
export async function giveFeedback(
  ports: FeedbackPorts,
  caller: Caller,
  id: string,
  { label, knownAtMs }: Truth,
): Promise<'counted' | 'again'> {
  const { prediction, given } = await findPrediction(ports, caller, id);
  const version = await ports.registry.readVersion(prediction.model, prediction.version);
  if (version === undefined) throw new Failure('version-unknown', { field: 'id' });
  const labels = readLabels(label, prediction.rows.length, knownLabels(version.manifest, version.signature));
  const atMs = ports.clock.nowMs();
  checkTime(prediction, knownAtMs, atMs);
  if (given !== undefined) return again(given, labels);
  if (!(await ports.feedbacks.give(prediction, { labels, knownAtMs, atMs })))
    return again((await findPrediction(ports, caller, id)).given, labels);
  await record(ports, prediction, labels);
  return 'counted';
}

async function findPrediction(ports: FeedbackPorts, caller: Caller, id: string): Promise<FoundPrediction> {
  const { feedbacks, clock } = ports;
  const tenant = caller.tenant.id;
  let found = await feedbacks.read(tenant, id, clock.nowMs());
  if (found === undefined) {
    await refuseNotKept(ports, tenant, id);
    await clock.sleep(KEPT_WITHIN_MS);
    found = await feedbacks.read(tenant, id, clock.nowMs());
  }
  if (found === 'too-late') throw new Failure('feedback-too-late', { field: 'id' });
  if (found === undefined || !mayAnswer(caller, found.prediction))
    throw new Failure('prediction-unknown', { field: 'id' });
  return found;
}

/** Of an accepted prediction it is known which model it asked, and whether it was answered. */
async function refuseNotKept(
  { jobs, registry, clock }: Pick<Platform, 'jobs' | 'registry' | 'clock'>,
  tenant: string,
  id: string,
): Promise<void> {
  const record = await jobs.read(tenant, id, clock.nowMs());
  if (record === undefined) return;
  const { job, state } = record;
  const failed = state.kind === 'ended' && state.outcome.kind === 'failed';
  const version = await registry.readVersion(job.model, job.version);
  if (failed || version?.manifest.feedback === undefined) throw new Failure('feedback-not-kept', { field: 'id' });
  if (state.kind !== 'ended')
    throw new Failure('state-conflict', { field: 'id', detail: 'the prediction has not ended yet' });
}

/** As who may read a prediction: whoever acts for the tenant, but users of browser tokens their own alone. */
function mayAnswer({ principal }: Caller, prediction: KeptPrediction): boolean {
  return principal.user === undefined || prediction.principal === principal.id;
}

function checkTime({ atMs }: KeptPrediction, knownAtMs: number | undefined, nowMs: number): void {
  if (knownAtMs === undefined) return;
  const detail =
    knownAtMs > nowMs + CLOCK_SKEW_MS
      ? 'is in the future'
      : knownAtMs < atMs - CLOCK_SKEW_MS
        ? 'is before the prediction'
        : undefined;
  if (detail !== undefined) throw new Failure('request-invalid', { field: 'at', detail });
}

function again(given: GivenFeedback | undefined, labels: readonly string[]): 'again' {
  if (given === undefined) throw new Failure('prediction-unknown', { field: 'id' });
  if (given.labels.every((label, row) => label === labels[row])) return 'again';
  throw new Failure('feedback-conflict', { field: 'label' });
}

/** As with labels, a request is one answer of a release's cohort: its first row stands for all. */
async function record(
  { recorder, releases }: FeedbackPorts,
  prediction: KeptPrediction,
  labels: readonly string[],
): Promise<void> {
  const { tenant, model, rows, lot } = prediction;
  // Cohorts of an earlier release are counted no more.
  const latest = lot === undefined ? undefined : await releases.readLatest(model);
  const current = latest !== undefined && lotOf(latest) === lot?.release ? lot : undefined;
  for (const [at, { label: predicted, confidence }] of rows.entries()) {
    const actual = labels[at]!;
    const correct = predicted === actual;
    recorder.feedback(prediction, {
      tenant,
      actual,
      predicted,
      correct,
      confidence,
      lot: at === 0 ? current : undefined,
    });
  }
}
