import { asFailure, type Failure } from '../core/failure.ts';
import type { FairQueue } from '../core/inference/fair-queue.ts';
import type { Job } from '../core/inference/job.ts';
import type { Work } from '../core/inference/work.ts';
import type { Platform } from '../core/ports/platform.ts';
import { fateOfJob } from '../core/release/revoked-job.ts';
import type { Ledger } from './ledger.ts';
import type { ServedVersion, VersionShelf } from './version-shelf.ts';
import { workFor } from './work-for.ts';

type StandInPorts = Pick<Platform, 'registry' | 'log'>;
type Parts = { readonly queue: FairQueue<Work>; readonly shelf: VersionShelf; readonly ledger: Ledger };

/**
 * Lets the stable version answer for one that callers did not ask for and that cannot. The job stays what it is: it is counted as an error of the version
 * that was assigned, though its caller sees none.
 */
export class StandIns {
  readonly #ports: StandInPorts;
  readonly #parts: Parts;
  readonly #dispatch: () => void;

  constructor(ports: StandInPorts, parts: Parts, dispatch: () => void) {
    this.#ports = ports;
    this.#parts = parts;
    this.#dispatch = dispatch;
  }

  /** Runs on stable what a release put on a candidate that cannot run it, and ends the rest with the failure. Never rejects. */
  async fail(works: readonly Pick<Work, 'job' | 'delivery'>[], failure: Failure): Promise<void> {
    const { ledger, queue } = this.#parts;
    const left = works.filter(({ job }) => job.onCandidate !== true);
    const failing = left.length === 0 ? undefined : ledger.fail(left, failure);
    for (const work of works) {
      if (work.job.onCandidate !== true) continue;
      const stable = await this.versionFor(work.job).catch((error: unknown) => this.#warn(error, work.job));
      if (stable === undefined) await ledger.fail([work], failure);
      else queue.push(workFor(stable, work.delivery));
    }
    await failing;
    if (left.length < works.length) this.#dispatch();
  }

  /** The stable version; undefined if that is the job's own, its caller named that, or stable would read its tokens otherwise. */
  async versionFor(job: Job): Promise<ServedVersion | undefined> {
    const { registry } = this.#ports;
    const { model, version, versionNamed } = job;
    const stable = versionNamed ? undefined : (await registry.readRoute(model))?.stable;
    if (stable === undefined || stable === version) return undefined;
    const serving = await this.#bring(model, stable);
    const admitted =
      this.#parts.shelf.known(`${model}@${version}`)?.record ?? (await registry.readVersion(model, version));
    const fate = fateOfJob(job, { revoked: version, serving: stable }, admitted, serving.record);
    return fate.kind === 'run-on' ? serving : undefined;
  }

  /** Brought again it would have another name than in the runners that have it loaded. */
  async #bring(model: string, version: string): Promise<ServedVersion> {
    const { shelf } = this.#parts;
    return shelf.known(`${model}@${version}`) ?? shelf.bring(model, version);
  }

  #warn(error: unknown, { id, model, version }: Job): undefined {
    this.#ports.log.error('no version stands in', asFailure(error), { job: id, version: `${model}@${version}` });
  }
}
