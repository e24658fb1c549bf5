import { Failure } from '../core/failure.ts';
import { BatchCost, measuredRunCost, type RunCost } from '../core/inference/batch-cost.ts';
import { type BatchPlan, planBatches } from '../core/inference/batch-plan.ts';
import { Breaker } from '../core/inference/breaker.ts';
import { expectedCost } from '../core/inference/expected-cost.ts';
import { lengthOfStep } from '../core/inference/padding-steps.ts';
import type { ModelVersion } from '../core/models/version.ts';
import type { Delivery } from '../core/ports/job-queue.ts';
import type { Platform } from '../core/ports/platform.ts';
import { compileInputProfiler, type InputProfiler } from '../core/quality/profile-inputs.ts';
import { compileLabelReader, type LabelReader } from '../core/quality/row-labels.ts';
import { HOUR_MS } from '../core/units.ts';
import { LoadPressure } from './load-pressure.ts';

/** A version that nobody asked for in this time, and no runner has, is forgotten: work never waits here for so long. */
const FORGET_AFTER_MS = HOUR_MS;

/** A version that this worker can run: its record, a local file, and what its runs were measured to cost. */
export class ServedVersion {
  /** `model@version`. */
  readonly key: string;
  /** Names the model in runner processes. */
  readonly handle: number;
  readonly record: ModelVersion;
  /** Replaced when a run shows that its rows cannot be told apart. */
  plan: BatchPlan;
  /** As validation measured it, if it did. */
  readonly runMs: RunCost | undefined;
  readonly pressure = new LoadPressure();
  readonly breaker: Breaker;
  /** Undefined: it does not classify. */
  readonly readLabels: LabelReader | undefined;
  readonly profileInputs: InputProfiler;
  /** The delivery that tries a half-open version, until it has ended. */
  probe: Delivery | undefined;
  readonly #costs = new Map<number, BatchCost>();
  path: string;
  lastUsedMs = 0;
  /** Measured once it was loaded here. */
  loadMs: number;
  #latestCost: BatchCost | undefined;

  constructor(record: ModelVersion, handle: number, path: string) {
    this.key = `${record.model}@${record.version}`;
    this.handle = handle;
    this.record = record;
    this.plan = planBatches(record);
    this.runMs = measuredRunCost(record.validation);
    this.breaker = new Breaker(record.manifest.breaker);
    this.readLabels = compileLabelReader(record.signature);
    this.profileInputs = compileInputProfiler(record);
    this.path = path;
    this.loadMs = record.validation.loadMs;
  }

  /** What runs with rows of about this length cost; starts from what validation measured. */
  cost(costKey: number): BatchCost {
    let cost = this.#costs.get(costKey);
    if (cost === undefined) {
      const { rowMs, perRowMs } = expectedCost(this.record.validation, lengthOfStep(costKey));
      cost = new BatchCost(rowMs, perRowMs);
      this.#costs.set(costKey, cost);
    }
    return cost;
  }

  observe(costKey: number, rows: number, ms: number): void {
    const cost = this.cost(costKey);
    cost.observe(rows, ms);
    this.#latestCost = cost;
  }

  /** Milliseconds of a row in the runs of late. */
  rowMs(): number {
    return this.#latestCost?.shareMs(1) ?? this.record.validation.rowMs;
  }

  get measured(): boolean {
    return this.#latestCost !== undefined;
  }
}

/** The versions that this worker has met, each with its file brought here. */
export class VersionShelf {
  readonly #ports: Pick<Platform, 'registry' | 'artifacts' | 'clock'>;
  readonly #served = new Map<string, ServedVersion>();
  readonly #loading = new Map<string, Promise<ServedVersion>>();
  #handles = 0;

  constructor(ports: Pick<Platform, 'registry' | 'artifacts' | 'clock'>) {
    this.#ports = ports;
  }

  known(key: string): ServedVersion | undefined {
    return this.#served.get(key);
  }

  /** Of a version that has work here. */
  held(key: string): ServedVersion {
    const served = this.#served.get(key);
    if (served === undefined) throw new Error(`${key} has work but was forgotten`);
    return served;
  }

  all(): Iterable<ServedVersion> {
    return this.#served.values();
  }

  /** Called about once a second. Those that runners have loaded stay: they know them by their handles. */
  forgetUnused(nowMs: number, loaded: ReadonlySet<string>): void {
    for (const served of this.#served.values()) {
      const isUnused = nowMs - served.lastUsedMs > FORGET_AFTER_MS && !loaded.has(served.key);
      if (isUnused) this.#served.delete(served.key);
    }
  }

  /** Throws `version-unknown`, `artifact-missing`, `artifact-damaged`; a failure is not remembered. */
  bring(model: string, version: string): Promise<ServedVersion> {
    const key = `${model}@${version}`;
    let loading = this.#loading.get(key);
    if (loading === undefined) {
      loading = this.#bring(model, version).finally(() => this.#loading.delete(key));
      this.#loading.set(key, loading);
    }
    return loading;
  }

  /** Brings the file again; throws as `bring` does. */
  async refetch(served: ServedVersion): Promise<void> {
    served.path = await this.#ports.artifacts.fetch(served.record.modelDigest);
  }

  async #bring(model: string, version: string): Promise<ServedVersion> {
    const record = await this.#ports.registry.readVersion(model, version);
    if (record === undefined) throw new Failure('version-unknown', { model, version });
    const path = await this.#ports.artifacts.fetch(record.modelDigest);
    this.#handles += 1;
    const served = new ServedVersion(record, this.#handles, path);
    served.lastUsedMs = this.#ports.clock.nowMs();
    this.#served.set(served.key, served);
    return served;
  }
}
