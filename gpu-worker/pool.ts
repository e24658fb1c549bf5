import type { LoadAnswer, ModelRunner, RunAnswer } from '../adapters/onnx/model-runner.ts';
import { asFailure, Failure } from '../core/failure.ts';
import type { Tensor } from '../core/inference/tensor.ts';
import type { Platform } from '../core/ports/platform.ts';
import { MINUTE_MS, SECOND_MS } from '../core/units.ts';
import { bytesWith, hasAny, lastUseOf, leastRecentlyUsed, roomiestSlot, victimFor } from './place-model.ts';
import { clearSlot, emptySlot, type Slot } from './slot.ts';
import type { ServedVersion, VersionShelf } from './version-shelf.ts';

/** 30 s and a second for every 10 MB: a slow disk, cold. */
const LEAST_LOAD_LIMIT_MS = 30 * SECOND_MS;
const LOAD_BYTES_PER_MS = 10_000;
/** A process takes this long to start (measured 100 to 130 ms). */
export const SPAWN_MS = 130;
/** A model that could not be loaded is not tried again for this long; its jobs fail at once meanwhile. */
const LOAD_FAILURE_MS = 5 * SECOND_MS;
/** A runner beyond the first that has had nothing to do for so long gives its memory back. */
const RETIRE_AFTER_MS = MINUTE_MS;
/** Nothing that was used within this time makes room for what is only kept warm: else each would end the other's runner. */
const IN_USE_MS = MINUTE_MS;

export type PoolConfig = { readonly runners: number; readonly memoryLimitBytes: number };

export type Placement =
  | { readonly kind: 'ready'; readonly slot: Slot }
  | { readonly kind: 'load'; readonly slot: Slot }
  | { readonly kind: 'wait' };

const WAIT: Placement = { kind: 'wait' };

/** Runner processes and the models in them. One load or run at a time in each. */
export class RunnerPool {
  readonly #slots: Slot[];
  readonly #ports: Pick<Platform, 'clock' | 'log'>;
  readonly #shelf: VersionShelf;
  readonly #spawn: () => ModelRunner;
  readonly #config: PoolConfig;
  readonly #loading = new Set<string>();
  #kept: ReadonlySet<string> = new Set();
  readonly #failures = new Map<string, { readonly failure: Failure; readonly untilMs: number }>();
  #ended = false;
  #busyMs = 0;

  constructor(
    ports: Pick<Platform, 'clock' | 'log'>,
    shelf: VersionShelf,
    spawn: () => ModelRunner,
    config: PoolConfig,
  ) {
    this.#ports = ports;
    this.#shelf = shelf;
    this.#spawn = spawn;
    this.#config = config;
    this.#slots = Array.from({ length: config.runners }, () => emptySlot(ports.clock.nowMs()));
  }

  /** Starts the first runner, so that the first model need not wait for a process. */
  warm(): void {
    const slot = this.#slots[0]!;
    if (this.#ended || slot.busy || this.#slots.some((each) => each.runner !== undefined)) return;
    this.#start(slot);
  }

  /** True once the runners were ended on purpose: nothing is started any more, and no loss says anything about a job. */
  get isEnded(): boolean {
    return this.#ended;
  }

  get isBusy(): boolean {
    return this.#slots.some((slot) => slot.busy);
  }

  /** Runners that load or run at this moment. */
  get busy(): number {
    return this.#slots.filter((slot) => slot.busy).length;
  }

  /** What runners have been taken for loads and runs since the start, all together; of those that are, once they are free. */
  get busyMs(): number {
    return this.#busyMs;
  }

  /** Of runners that are alive. */
  processes(): readonly { readonly pid: number | undefined; readonly residentBytes: number }[] {
    return this.#slots.flatMap(({ runner }) =>
      runner?.alive() ? [{ pid: runner.pid, residentBytes: runner.residentBytes() }] : [],
    );
  }

  loaded(): string[] {
    return [...new Set(this.#slots.flatMap((slot) => [...slot.loaded.keys()]))];
  }

  /** Why this version cannot be run now, if loading it failed a moment ago. */
  failureOf(version: string, nowMs: number): Failure | undefined {
    const known = this.#failures.get(version);
    if (known === undefined) return undefined;
    if (nowMs < known.untilMs) return known.failure;
    this.#failures.delete(version);
    return undefined;
  }

  isLoaded(version: ServedVersion): boolean {
    return this.#slots.some((slot) => slot.loaded.has(version.key));
  }

  /** Versions whose runners are ended last for want of memory, and not at all for want of work. */
  keep(versions: ReadonlySet<string>): void {
    this.#kept = versions;
  }

  /** How many runners have a version loaded; `warm`: and have run it. */
  runnersWith(version: string, warm = false): number {
    return this.#slots.filter(
      ({ loaded, runner }) => runner?.alive() && loaded.has(version) && (!warm || loaded.get(version)?.warm),
    ).length;
  }

  /** An idle runner that has a version loaded and has not run it. */
  coldWith(version: string): Slot | undefined {
    return this.#slots.find(
      ({ busy, loaded, runner }) => !busy && runner?.alive() && loaded.get(version)?.warm === false,
    );
  }

  /** An idle slot where a version that has no work can be loaded in one more runner; undefined if none is idle, or in use is what would have to go. */
  roomToKeep(version: ServedVersion, nowMs: number): Slot | undefined {
    if (this.#ended || this.#loading.has(version.key)) return undefined;
    const target = roomiestSlot(this.#slots.filter((each) => !each.loaded.has(version.key)));
    if (target === undefined) return undefined;
    const staying = this.#slots.filter(
      (slot) => slot === target || slot.loaded.size === 0 || !this.#isFree(slot, nowMs),
    );
    return bytesWith(staying, target, version) <= this.#config.memoryLimitBytes ? target : undefined;
  }

  /** Where waiting work of a version can run now: asked for versions with waiting work only. */
  place(version: ServedVersion, nowMs: number): Placement {
    if (this.#ended) return WAIT;
    let elsewhere = false;
    for (const slot of this.#slots) {
      if (!slot.loaded.has(version.key)) continue;
      if (slot.busy) elsewhere = true;
      else if (slot.runner?.alive()) return { kind: 'ready', slot };
      else clearSlot(slot);
    }
    if (elsewhere) version.pressure.wait(nowMs);
    const slot = elsewhere ? this.spareFor(version, nowMs) : this.#roomFor(version);
    return slot === undefined ? WAIT : { kind: 'load', slot };
  }

  /** Idle runners that have the version. */
  readyFor(version: ServedVersion): number {
    return this.#slots.filter((slot) => !slot.busy && slot.loaded.has(version.key)).length;
  }

  /** Idle runners, those that have yet to be started too. */
  get idle(): number {
    return this.#slots.filter((slot) => !slot.busy).length;
  }

  /** An idle slot without the version, if it is time to load it in one more. */
  spareFor(version: ServedVersion, nowMs: number): Slot | undefined {
    const slot = this.#roomFor(version);
    if (slot === undefined) return undefined;
    const loadMs = version.loadMs + (slot.runner === undefined ? SPAWN_MS : 0);
    return version.pressure.isDue(nowMs, loadMs) ? slot : undefined;
  }

  /** Loads a version into an idle slot; `onlyKept`: that of `roomToKeep`. Its failure is the answer, and remembered for a while. */
  async load(slot: Slot, version: ServedVersion, onlyKept = false): Promise<Failure | undefined> {
    this.take(slot);
    this.#loading.add(version.key);
    version.pressure.relieved();
    this.#makeRoom(slot, version, onlyKept);
    try {
      await this.#load(slot, version);
      return undefined;
    } catch (error) {
      const failure = asFailure(error);
      this.#ports.log.error('model not loaded', failure, { version: version.key });
      // Where another runner has it, its work goes on there.
      if (!this.isLoaded(version)) {
        this.#failures.set(version.key, { failure, untilMs: this.#ports.clock.nowMs() + LOAD_FAILURE_MS });
      }
      return failure;
    } finally {
      this.#loading.delete(version.key);
      this.#release(slot);
    }
  }

  /** Reserves an idle slot for a run. */
  take(slot: Slot): void {
    slot.busy = true;
    slot.busySinceMs = this.#ports.clock.nowMs();
  }

  /** Gives a reserved slot back without a run. */
  giveBack(slot: Slot): void {
    this.#release(slot);
  }

  /** Runs one batch in a reserved slot and gives the slot back. `warm`: the time says something about the model. */
  async run(
    slot: Slot,
    version: ServedVersion,
    inputs: readonly Tensor[],
    deadlineMs: number,
  ): Promise<RunAnswer & { readonly warm: boolean }> {
    const loaded = slot.loaded.get(version.key);
    if (slot.runner === undefined || loaded === undefined) throw new Error(`${version.key} is not loaded in this slot`);
    const { warm } = loaded;
    try {
      const answer = await slot.runner.run(version.handle, inputs, deadlineMs);
      loaded.warm = true;
      loaded.lastUsedMs = this.#ports.clock.nowMs();
      version.pressure.ran(answer.computeMs);
      return { ...answer, warm };
    } finally {
      this.#release(slot);
    }
  }

  /** Called every few milliseconds while something runs. */
  killOverdue(nowMs: number): void {
    for (const slot of this.#slots) if (slot.busy) slot.runner?.killIfOverdue(nowMs);
  }

  /** Called about once a second: ends runners that are not needed, and starts one if none is left. */
  tidy(nowMs: number): void {
    for (const slot of this.#slots) {
      if (slot.busy || slot.runner === undefined) continue;
      if (!slot.runner.alive()) clearSlot(slot);
      else if (nowMs - slot.idleSinceMs > RETIRE_AFTER_MS && this.#isSpare(slot)) clearSlot(slot);
    }
    this.warm();
  }

  async end(): Promise<void> {
    this.#ended = true;
    const ended = this.#slots.map((slot) => slot.runner?.ended);
    for (const slot of this.#slots) clearSlot(slot);
    await Promise.all(ended);
  }

  async #load(slot: Slot, version: ServedVersion): Promise<void> {
    let answer = await this.#loadOnce(slot, version);
    // A runner may be killed from outside: only a model that ends two is the cause.
    if (answer.kind === 'crashed' && !this.#ended) answer = await this.#loadOnce(slot, version);
    if (answer.kind === 'loaded') {
      version.loadMs = answer.loadMs;
      slot.loaded.set(version.key, { lastUsedMs: this.#ports.clock.nowMs(), warm: false });
      return;
    }
    // If the file is gone or damaged, that is the reason to give.
    await this.#shelf.refetch(version);
    const how = answer.kind === 'refused' ? 'refused by onnxruntime' : `the runner ${answer.kind} while loading it`;
    throw new Failure('model-load-failed', { model: version.key, detail: `${version.key}: ${how}` });
  }

  #loadOnce(slot: Slot, version: ServedVersion): Promise<LoadAnswer> {
    if (slot.runner !== undefined && !slot.runner.alive()) clearSlot(slot);
    const runner = slot.runner ?? this.#start(slot);
    const limitMs = LEAST_LOAD_LIMIT_MS + version.record.modelBytes / LOAD_BYTES_PER_MS;
    return runner.load(version.handle, version.path, this.#ports.clock.nowMs() + limitMs);
  }

  #start(slot: Slot): ModelRunner {
    slot.runner = this.#spawn();
    slot.startedMs = this.#ports.clock.nowMs();
    return slot.runner;
  }

  #release(slot: Slot): void {
    const nowMs = this.#ports.clock.nowMs();
    slot.busy = false;
    slot.idleSinceMs = nowMs;
    this.#busyMs += Math.max(0, nowMs - slot.busySinceMs);
    if (slot.runner !== undefined && !slot.runner.alive()) clearSlot(slot);
  }

  #roomFor(version: ServedVersion): Slot | undefined {
    if (this.#ended || this.#loading.has(version.key)) return undefined;
    const slot = roomiestSlot(this.#slots.filter((each) => !each.loaded.has(version.key)));
    return slot !== undefined && this.#canFit(slot, version) ? slot : undefined;
  }

  /** False: it must wait until a busy runner can be ended. Alone it is loaded even if it is larger than the limit. */
  #canFit(target: Slot, version: ServedVersion): boolean {
    return !this.isBusy || bytesWith(this.#slots, target, version, true) <= this.#config.memoryLimitBytes;
  }

  /** Ends idle runners, those with the least recently used models first, until the version fits or none is left. */
  #makeRoom(target: Slot, version: ServedVersion, onlyKept: boolean): void {
    const nowMs = this.#ports.clock.nowMs();
    while (bytesWith(this.#slots, target, version) > this.#config.memoryLimitBytes) {
      const victim = onlyKept
        ? leastRecentlyUsed(
            this.#slots.filter((slot) => this.#isFree(slot, nowMs)),
            target,
          )
        : victimFor(this.#slots, target, version, this.#kept);
      if (victim === undefined) return;
      this.#ports.log.info('models evicted', { models: [...victim.loaded.keys()].join(' ') });
      clearSlot(victim);
    }
  }

  /** True if nothing that is kept or was used of late is lost with it. */
  #isFree(slot: Slot, nowMs: number): boolean {
    return !slot.busy && !hasAny(slot, this.#kept) && nowMs - lastUseOf(slot) > IN_USE_MS;
  }

  /** True if another runner has all that this one has, and no release wants it in both. */
  #isSpare(slot: Slot): boolean {
    if (hasAny(slot, this.#kept)) return false;
    const others = this.#slots.filter((other) => other !== slot && other.runner !== undefined);
    return others.length > 0 && [...slot.loaded.keys()].every((key) => others.some((other) => other.loaded.has(key)));
  }
}
