import { Failure } from '../core/failure.ts';
import { quarantineBytes } from '../core/inference/quarantine-bytes.ts';
import type { Mishap } from '../core/inference/rerun.ts';
import type { Work } from '../core/inference/work.ts';
import type { Platform } from '../core/ports/platform.ts';
import { DAY_MS } from '../core/units.ts';

/** How long an input that kills the stable version is refused. */
const QUARANTINE_MS = DAY_MS;

export type Sentence =
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** A version that callers did not ask for by name may be at fault: the stable one decides. */
  | { readonly kind: 'run-on'; readonly version: string };

/** What becomes of a job that, alone, could not be run. Says nothing of the payload: runtimes quote values in their errors. */
export async function judge(
  ports: Pick<Platform, 'registry' | 'quarantine' | 'dataKeys' | 'clock'>,
  work: Work,
  mishap: Mishap,
  timeoutMs: number,
): Promise<Sentence> {
  const { job } = work;
  if (mishap === 'refused') return failed(new Failure('prediction-failed', { model: job.model }));
  if (mishap === 'timed-out')
    return failed(new Failure('prediction-timeout', { model: job.model, limitMs: timeoutMs }));
  const stable = (await ports.registry.readRoute(job.model))?.stable;
  const ranOnStable = stable === undefined || work.version === `${job.model}@${stable}`;
  if (!ranOnStable && !job.versionNamed) return { kind: 'run-on', version: stable };
  if (ranOnStable) {
    const fingerprint = await ports.dataKeys.fingerprint(job.tenant, quarantineBytes(job));
    await ports.quarantine.add(job.tenant, fingerprint, 'runner-crashed', ports.clock.nowMs() + QUARANTINE_MS);
  }
  return failed(new Failure('runner-crashed', { model: job.model }));
}

function failed(failure: Failure): Sentence {
  return { kind: 'failed', failure };
}
