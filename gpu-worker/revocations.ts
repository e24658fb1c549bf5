import { Failure } from '../core/failure.ts';
import { FreshCache } from '../core/fresh-cache.ts';
import type { Job } from '../core/inference/job.ts';
import type { Platform } from '../core/ports/platform.ts';
import { fateOfJob, type JobFate } from '../core/release/revoked-job.ts';
import { type Revocation, revocationOf } from '../core/release/served.ts';
import { SECOND_MS } from '../core/units.ts';
import type { VersionShelf } from './version-shelf.ts';

/** As old as what a worker knows of a release may be. */
const AGE_MS = SECOND_MS;
/** Models with jobs at one time. */
const MOST_MODELS = 1000;

type RevocationPorts = Pick<Platform, 'releases' | 'registry' | 'clock' | 'log'>;

/**
 * What became of the versions that jobs were admitted for. A job that a release put on its candidate is looked up, and any that was admitted more than a
 * second ago: by then the release may have ended. So models without a release cost their quick jobs nothing, and slow ones a read a second.
 */
export class Revocations {
  readonly #ports: RevocationPorts;
  readonly #shelf: Pick<VersionShelf, 'known' | 'bring'>;
  readonly #revoked = new FreshCache<Revocation | undefined>(AGE_MS, MOST_MODELS);

  constructor(ports: RevocationPorts, shelf: Pick<VersionShelf, 'known' | 'bring'>) {
    this.#ports = ports;
    this.#shelf = shelf;
  }

  /** True if the job's version is revoked, as far as was known at most a second ago; where that cannot be read it is not. */
  isRevoked(job: Job, nowMs: number): boolean | Promise<boolean> {
    const { model, version, versionNamed, shadow, onCandidate, acceptedAtMs } = job;
    if (versionNamed || shadow !== undefined) return false;
    if (onCandidate !== true && nowMs - acceptedAtMs <= AGE_MS) return false;
    const revocation = this.#read(model, nowMs);
    return revocation instanceof Promise
      ? revocation.then((read) => read?.revoked === version)
      : revocation?.revoked === version;
  }

  /** What is run in place of a job whose version is revoked: for the version that serves, drawn by no lot. Throws `version-unavailable`. */
  async replace(job: Job): Promise<Job> {
    const fate = await this.#fateOf(job);
    if (fate.kind === 'run') return job;
    if (fate.kind === 'drop')
      throw new Failure('version-unavailable', { model: job.model, version: job.version, detail: fate.why });
    const { lot: _, onCandidate: __, shadowOn: ___, ...rest } = job;
    return { ...rest, version: fate.version };
  }

  async #fateOf(job: Job): Promise<JobFate> {
    const revocation = await this.#read(job.model, this.#ports.clock.nowMs());
    if (revocation === undefined) return { kind: 'run' };
    const { model, version } = job;
    const [admitted, serving] = await Promise.all([
      this.#shelf.known(`${model}@${version}`)?.record ?? this.#ports.registry.readVersion(model, version),
      this.#shelf.known(`${model}@${revocation.serving}`)?.record ??
        this.#ports.registry.readVersion(model, revocation.serving),
    ]);
    return fateOfJob(job, revocation, admitted, serving);
  }

  #read(model: string, nowMs: number): Revocation | undefined | Promise<Revocation | undefined> {
    const read = this.#revoked.get(model, nowMs, () => this.#load(model, nowMs));
    if (!(read instanceof Promise)) return read;
    return read.catch((error: unknown) => {
      this.#ports.log.error('release not readable: jobs run as they were admitted', error, { model });
      return undefined;
    });
  }

  async #load(model: string, nowMs: number): Promise<Revocation | undefined> {
    const release = await this.#ports.releases.readLatest(model);
    if (release === undefined) return undefined;
    return revocationOf(release, await this.#ports.registry.readRoute(model), nowMs);
  }
}
