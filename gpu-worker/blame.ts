import { asFailure, Failure } from '../core/failure.ts';
import { quarantineBytes } from '../core/inference/quarantine-bytes.ts';
import type { Mishap } from '../core/inference/rerun.ts';
import type { Work } from '../core/inference/work.ts';
import type { Platform } from '../core/ports/platform.ts';
import { DAY_MS } from '../core/units.ts';
import type { StandIns } from './stand-ins.ts';
import type { ServedVersion } from './version-shelf.ts';

/** How long an input that kills the stable version is refused. */
const QUARANTINE_MS = DAY_MS;

type BlamePorts = Pick<Platform, 'registry' | 'quarantine' | 'dataKeys' | 'clock' | 'log'>;

/** A job that, alone, could not be run. */
export type Case = { readonly work: Work; readonly mishap: Mishap; readonly version: ServedVersion };

export type Sentence =
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** A version that callers did not ask for by name may be at fault: the stable one decides. */
  | { readonly kind: 'run-on'; readonly version: ServedVersion };

/**
 * What becomes of a job that, alone, could not be run; never rejects. Says nothing of the payload: runtimes quote values in
 * their errors.
 */
export async function judge(
  ports: BlamePorts,
  standIns: Pick<StandIns, 'versionFor'>,
  { work, mishap, version }: Case,
): Promise<Sentence> {
  const { model } = work.job;
  // Nobody waits for a copy: it is an answer that the candidate has not.
  if (work.job.shadow !== undefined && mishap === 'crashed') return failed(new Failure('runner-crashed', { model }));
  if (mishap === 'refused') return failed(new Failure('prediction-failed', { model }));
  if (mishap === 'timed-out') {
    return failed(new Failure('prediction-timeout', { model, limitMs: version.record.manifest.timeoutMs }));
  }
  try {
    const stable = (await ports.registry.readRoute(model))?.stable;
    const ranOnStable = stable === undefined || stable === version.record.version;
    if (ranOnStable) await quarantine(ports, work);
    else {
      const standIn = await standIns.versionFor(work.job);
      if (standIn !== undefined) return { kind: 'run-on', version: standIn };
    }
    return failed(new Failure('runner-crashed', { model }));
  } catch (error) {
    ports.log.error('crash not recorded', error, { job: work.job.id, version: version.key });
    return failed(asFailure(error));
  }
}

async function quarantine(ports: BlamePorts, { job }: Work): Promise<void> {
  const fingerprint = await ports.dataKeys.fingerprint(job.tenant, quarantineBytes(job));
  await ports.quarantine.add(job.tenant, fingerprint, 'runner-crashed', ports.clock.nowMs() + QUARANTINE_MS);
}

function failed(failure: Failure): Sentence {
  return { kind: 'failed', failure };
}
