import { Failure } from '../core/failure.ts';
import { versionOfBucket } from '../core/inference/batch-plan.ts';
import type { FairQueue } from '../core/inference/fair-queue.ts';
import type { Work } from '../core/inference/work.ts';
import type { BreakerReport } from '../core/ports/capacity.ts';
import type { Delivery } from '../core/ports/job-queue.ts';
import type { Platform } from '../core/ports/platform.ts';
import type { Ledger } from './ledger.ts';
import type { StandIns } from './stand-ins.ts';
import type { ServedVersion, VersionShelf } from './version-shelf.ts';

type BreakerParts = {
  readonly queue: FairQueue<Work>;
  readonly shelf: VersionShelf;
  readonly ledger: Ledger;
  readonly standIns: StandIns;
};
type Ended = Pick<Work, 'tenant' | 'delivery'>;

/**
 * Tells the versions' breakers how their requests end, and fails what is not to be run. What has started is finished, a
 * batch that is being taken apart too: it costs its jobs nothing that they have not paid already, and most of them may be
 * innocent.
 */
export class Breakers {
  readonly #ports: Pick<Platform, 'clock' | 'log'>;
  readonly #parts: BreakerParts;
  readonly #onTaken: () => void;

  constructor(ports: Pick<Platform, 'clock' | 'log'>, parts: BreakerParts, onTaken: () => void) {
    this.#ports = ports;
    this.#parts = parts;
    this.#onTaken = onTaken;
  }

  /** Why a delivery is not to be run, if it is not. Of a half-open version one at a time is let through, as a probe. */
  refusalOf(version: ServedVersion, delivery: Delivery, nowMs: number): Failure | undefined {
    const state = version.breaker.stateFor(delivery.job.tenant, nowMs);
    if (state.kind === 'closed') return undefined;
    if (state.kind === 'open') return unavailable(version, state.untilMs - nowMs);
    // However a delivery ends, the ledger lets go of it: a probe that was cancelled or given back makes room for another.
    if (version.probe !== undefined && this.#parts.ledger.isHeld(version.probe)) return unavailable(version, 0);
    version.probe = delivery;
    return undefined;
  }

  succeeded(version: ServedVersion, work: Ended, nowMs: number): void {
    if (version.probe === undefined) version.breaker.observe(work.tenant, 'succeeded', nowMs);
    else if (this.#endProbe(version, work)) this.#probed(version, 'succeeded', nowMs);
    else version.breaker.observe(work.tenant, 'succeeded', nowMs);
  }

  /** A run of this work, alone, failed. */
  failed(version: ServedVersion, work: Ended): void {
    const nowMs = this.#ports.clock.nowMs();
    if (this.#endProbe(version, work)) this.#probed(version, 'failed', nowMs);
    else if (version.breaker.observe(work.tenant, 'failed', nowMs)) this.#opened(version, nowMs);
  }

  /** These could not be run because the version could not be loaded. */
  notLoaded(version: ServedVersion, deliveries: readonly Delivery[]): void {
    const nowMs = this.#ports.clock.nowMs();
    for (const delivery of deliveries) {
      if (this.#endProbe(version, { delivery })) this.#probed(version, 'failed', nowMs);
      else if (version.breaker.observeLoadFailure(nowMs)) this.#opened(version, nowMs);
    }
  }

  /** For the worker's report, by `model@version`. */
  reports(nowMs: number): Record<string, BreakerReport> {
    const reports: Record<string, BreakerReport> = {};
    for (const version of this.#parts.shelf.all()) {
      const report = version.breaker.report(nowMs);
      if (report !== undefined) reports[version.key] = report;
    }
    return reports;
  }

  /** Changes whenever a breaker opens, closes or lets probes through. */
  digest(nowMs: number): string {
    let digest = '';
    for (const { key, breaker } of this.#parts.shelf.all()) {
      const state = breaker.state(nowMs);
      if (state.kind !== 'closed') digest += ` ${key} ${state.kind} ${state.only ?? ''}`;
    }
    return digest;
  }

  #endProbe(version: ServedVersion, { delivery }: Pick<Ended, 'delivery'>): boolean {
    if (version.probe !== delivery) return false;
    version.probe = undefined;
    return true;
  }

  #probed(version: ServedVersion, outcome: 'succeeded' | 'failed', nowMs: number): void {
    if (version.breaker.observeProbe(outcome, nowMs)) this.#opened(version, nowMs);
    else if (version.breaker.state(nowMs).kind === 'closed') {
      this.#ports.log.info('version serves again', { version: version.key });
    }
  }

  /** What waits for the version fails at once, at no cost; for a candidate of a release it runs on stable. */
  #opened(version: ServedVersion, nowMs: number): void {
    const { queue, standIns } = this.#parts;
    const state = version.breaker.state(nowMs);
    const [restMs, tenant] = state.kind === 'open' ? [state.untilMs - nowMs, state.only] : [0, undefined];
    const works = queue.takeBuckets((bucket) => versionOfBucket(bucket) === version.key, tenant);
    this.#ports.log.warn('version keeps failing: left alone', { version: version.key, tenant, waiting: works.length });
    if (works.length > 0) void standIns.fail(works, unavailable(version, restMs));
    this.#onTaken();
  }
}

/** `restMs` 0: probes are being let through, and this is not one. */
function unavailable({ record }: ServedVersion, restMs: number): Failure {
  return new Failure('version-unavailable', { model: record.model, version: record.version, retryAfterMs: restMs });
}
