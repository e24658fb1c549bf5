import { createHash } from 'node:crypto';
import { SystemClock } from '../../adapters/node/system-clock.ts';
import { Failure } from '../../core/failure.ts';
import type { Job, Lane, Outcome } from '../../core/inference/job.ts';
import type { ModelRoute, ModelVersion } from '../../core/models/version.ts';
import type { CapacityReport } from '../../core/ports/capacity.ts';
import type { Capture } from '../../core/ports/captures.ts';
import type { DeadLetter } from '../../core/ports/dead-letters.ts';
import type { KeptPrediction } from '../../core/ports/feedbacks.ts';
import type { Delivery } from '../../core/ports/job-queue.ts';
import type { LogFields } from '../../core/ports/log.ts';
import type { MeterRecord } from '../../core/ports/meters.ts';
import { Recorder } from '../../core/quality/recorder.ts';
import { isActive, type Release } from '../../core/release/release.ts';
import { VISIBILITY_MS } from '../../gpu-worker/ledger.ts';
import type { WorkerPorts } from '../../gpu-worker/worker.ts';
import { KeptTelemetry } from './recorder.ts';

type Waiting = { readonly job: Job; receiveCount: number };

/**
 * Every port that a worker uses, in memory, with all that happened to look at. A queue that never loses anything and
 * delivers again only what is given back: what is tested here is the worker.
 */
export class WorkerWorld {
  readonly clock = new SystemClock();
  readonly outcomes = new Map<string, Outcome>();
  readonly attempts = new Map<string, number>();
  readonly settled = new Map<string, number[]>();
  readonly acknowledged: string[] = [];
  readonly returned: string[] = [];
  /** Handed back for later: what is hidden for less than what is held. */
  readonly rested: string[] = [];
  readonly quarantined: { tenant: string; fingerprint: string; reason: string }[] = [];
  readonly reports: CapacityReport[] = [];
  readonly captured: Capture[] = [];
  readonly deadLetters: DeadLetter[] = [];
  /** Predictions kept for feedback. */
  readonly kept: KeptPrediction[] = [];
  /** The latest of each name. */
  readonly metered = new Map<string, MeterRecord>();
  readonly telemetry = new KeptTelemetry();
  readonly recorder = new Recorder({ telemetry: this.telemetry, clock: this.clock, log: this.#logPort() });
  /** Tenants that no longer consent to their predictions being captured. */
  readonly withdrawn = new Set<string>();
  readonly log: { level: string; message: string; fields: LogFields | undefined; cause: unknown }[] = [];
  readonly cancelled = new Set<string>();
  /** Jobs that the worker sent itself. */
  readonly sent: Job[] = [];
  /** Messages waiting in a lane. */
  depth: (lane: Lane) => number = (lane) => this.#lanes[lane].length;
  /** By model. */
  readonly releases = new Map<string, Release>();
  /** Models whose release was read, in order. */
  readonly releaseReads: string[] = [];
  readonly #versions = new Map<string, ModelVersion>();
  readonly #routes = new Map<string, ModelRoute>();
  readonly #paths = new Map<string, string>();
  readonly #lanes: Record<Lane, Waiting[]> = { interactive: [], bulk: [] };
  readonly #waiters = new Map<string, (outcome: Outcome) => void>();
  #arrivals: (() => void)[] = [];

  add(version: ModelVersion, path: string): void {
    this.#versions.set(`${version.model}@${version.version}`, version);
    this.#paths.set(version.modelDigest, path);
    const route = this.#routes.get(version.model);
    if (route === undefined)
      this.#routes.set(version.model, { model: version.model, stable: version.version, epoch: 1 });
  }

  /** As if the file had been deleted from the store. */
  losePath(version: ModelVersion): void {
    this.#paths.delete(version.modelDigest);
  }

  send(job: Job): Promise<Outcome> {
    const outcome = new Promise<Outcome>((resolve) => this.#waiters.set(job.id, resolve));
    this.deliver(job, 0);
    return outcome;
  }

  /** Puts a job in its queue that was handed out so often before. */
  deliver(job: Job, receiveCount: number): void {
    this.#lanes[job.lane].push({ job, receiveCount });
    this.#arrive();
  }

  ports(): WorkerPorts {
    const world = this;
    return {
      clock: this.clock,
      log: this.#logPort(),
      recorder: this.recorder,
      queue: this.#queuePort(),
      jobs: this.#jobsPort(),
      registry: {
        readVersion: async (model: string, version: string) => world.#versions.get(`${model}@${version}`),
        readRoute: async (model: string) => world.#routes.get(model),
        readTenant: async (id: string) => ({ id, captureConsent: !world.withdrawn.has(id) }),
      } as unknown as WorkerPorts['registry'],
      releases: {
        listActive: async () => [...world.releases.values()].filter(isActive),
        async readLatest(model: string) {
          world.releaseReads.push(model);
          return world.releases.get(model);
        },
      } as unknown as WorkerPorts['releases'],
      artifacts: {
        fetch: async (digest: string) => {
          const path = world.#paths.get(digest);
          if (path === undefined) throw new Failure('artifact-missing');
          return path;
        },
      } as WorkerPorts['artifacts'],
      limits: {
        async settle(_tenant: string, id: string, computeMs: number) {
          world.settled.set(id, [...(world.settled.get(id) ?? []), computeMs]);
        },
      } as unknown as WorkerPorts['limits'],
      capacity: {
        async report(report: CapacityReport) {
          world.reports.push(report);
        },
        read: async () => world.reports,
      },
      meters: {
        async save(record: MeterRecord) {
          world.metered.set(`${record.writer} ${record.part}`, record);
        },
      } as unknown as WorkerPorts['meters'],
      quarantine: {
        async add(tenant: string, fingerprint: string, reason: string) {
          world.quarantined.push({ tenant, fingerprint, reason });
        },
      } as unknown as WorkerPorts['quarantine'],
      captures: {
        async write(capture: Capture) {
          world.captured.push(capture);
        },
      } as unknown as WorkerPorts['captures'],
      deadLetters: {
        async add(letter: DeadLetter) {
          world.deadLetters.push(letter);
        },
      } as unknown as WorkerPorts['deadLetters'],
      feedbacks: {
        async keep(predictions: readonly KeptPrediction[]) {
          world.kept.push(...predictions);
        },
      } as unknown as WorkerPorts['feedbacks'],
      dataKeys: {
        fingerprint: async (tenant: string, bytes: Uint8Array) =>
          createHash('sha256').update(tenant).update(bytes).digest('hex'),
      } as WorkerPorts['dataKeys'],
    };
  }

  #queuePort(): WorkerPorts['queue'] {
    const world = this;
    let receipts = 0;
    return {
      async receive(_pool: string, lane: Lane, max: number, waitMs: number, _visibility: number, signal?: AbortSignal) {
        const untilMs = performance.now() + waitMs;
        for (;;) {
          const taken = world.#lanes[lane].splice(0, max);
          if (taken.length > 0 || performance.now() >= untilMs || signal?.aborted) {
            return taken.map((waiting): Delivery => {
              waiting.receiveCount += 1;
              receipts += 1;
              return { job: waiting.job, receipt: String(receipts), receiveCount: waiting.receiveCount };
            });
          }
          await new Promise<void>((resolve) => {
            world.#arrivals.push(resolve);
            signal?.addEventListener('abort', () => resolve(), { once: true });
          });
        }
      },
      depth: async (_pool: string, lane: Lane) => world.depth(lane),
      send(job: Job) {
        world.sent.push(job);
        world.deliver(job, 0);
      },
      async acknowledge(deliveries: readonly Delivery[]) {
        for (const { job } of deliveries) world.acknowledged.push(job.id);
      },
      async giveBack(deliveries: readonly Delivery[]) {
        for (const { job, receiveCount } of deliveries) {
          world.returned.push(job.id);
          world.#lanes[job.lane].push({ job, receiveCount });
        }
        world.#arrive();
      },
      async extend(deliveries: readonly Delivery[], visibilityMs: number) {
        if (visibilityMs >= VISIBILITY_MS) return;
        for (const { job, receiveCount } of deliveries) {
          world.rested.push(job.id);
          setTimeout(() => world.deliver(job, receiveCount), visibilityMs);
        }
      },
    } as unknown as WorkerPorts['queue'];
  }

  #jobsPort(): WorkerPorts['jobs'] {
    const world = this;
    return {
      async begin(job: Job) {
        if (world.outcomes.has(job.id) || world.cancelled.has(job.id)) return { kind: 'ended' };
        const attempt = (world.attempts.get(job.id) ?? 0) + 1;
        world.attempts.set(job.id, attempt);
        return { kind: 'started', attempt };
      },
      async finish(job: Job, outcome: Outcome) {
        if (world.outcomes.has(job.id)) return false;
        world.outcomes.set(job.id, outcome);
        world.#waiters.get(job.id)?.(outcome);
        return true;
      },
      hasEnded: (job: Job) => world.outcomes.has(job.id) || world.cancelled.has(job.id),
    } as unknown as WorkerPorts['jobs'];
  }

  #logPort(): WorkerPorts['log'] {
    const write = (level: string) => (message: string, fields?: LogFields) => {
      this.log.push({ level, message, fields, cause: undefined });
    };
    return {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: (message, cause, fields) => this.log.push({ level: 'error', message, fields, cause }),
    };
  }

  #arrive(): void {
    const arrivals = this.#arrivals;
    this.#arrivals = [];
    for (const resume of arrivals) resume();
  }
}
