import { Failure } from '../core/failure.ts';
import { generateRow } from '../core/models/validation/generate-row.ts';
import type { Platform } from '../core/ports/platform.ts';
import { desiredOf, type Release } from '../core/release/release.ts';
import { runnersFor } from '../core/release/warm-share.ts';
import { MINUTE_MS, SECOND_MS } from '../core/units.ts';
import type { RunnerPool } from './pool.ts';
import type { Slot } from './slot.ts';
import type { ServedVersion, VersionShelf } from './version-shelf.ts';

/** Where no release is active that is all that it costs: one small read. */
const LOOK_EVERY_MS = 3 * SECOND_MS;
/** A runner that ended is replaced in less; until then its place counts, so that traffic does not go to and fro. */
const REPLACED_WITHIN_MS = 5 * SECOND_MS;
/** After a load that failed, twice as long after the next one, and so on. */
const FIRST_PAUSE_MS = 5 * SECOND_MS;
const LONGEST_PAUSE_MS = MINUTE_MS;
/** Of a run that compiles kernels, and elements of a row whose length no validation measured. */
const FIRST_RUN_MS = 30 * SECOND_MS;
const FIRST_LENGTH = 16;

type KeeperPorts = Pick<Platform, 'releases' | 'registry' | 'clock' | 'log'>;
type KeeperParts = { readonly pool: RunnerPool; readonly shelf: VersionShelf };
type KeeperConfig = { readonly pool: string; readonly runners: number };
type Need = { readonly model: string; readonly version: string; readonly runners: number };
type Count = { readonly runners: number; readonly atMs: number };
type Pause = { readonly ms: number; readonly untilMs: number };

/**
 * Keeps the versions of active releases loaded: in as many of this worker's runners as the release asks for, before their first request, and in them
 * as long as it is active, within the memory limit. What does not fit beside what others used within a minute is not loaded, and reported as
 * not warm. Those versions belong here that name this pool, and those of models that are served here already.
 */
export class WarmKeeper {
  readonly #ports: KeeperPorts;
  readonly #parts: KeeperParts;
  readonly #config: KeeperConfig;
  readonly #onIdle: () => void;
  readonly #pools = new Map<string, string | undefined>();
  readonly #counts = new Map<string, Count>();
  readonly #pauses = new Map<string, Pause>();
  #needs: readonly Need[] = [];
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(ports: KeeperPorts, parts: KeeperParts, config: KeeperConfig, onIdle: () => void) {
    this.#ports = ports;
    this.#parts = parts;
    this.#config = config;
    this.#onIdle = onIdle;
  }

  /** Called about once a second; at most one load a call and version. */
  async tick(): Promise<void> {
    const nowMs = this.#ports.clock.nowMs();
    if (this.#needs.length > 0 || nowMs - this.#lookedMs >= LOOK_EVERY_MS) {
      this.#lookedMs = nowMs;
      await this.#look(nowMs);
    }
    // In this order, so that a candidate finds room beside one runner of the stable version.
    for (const need of this.#needs) await this.#keep({ ...need, runners: Math.min(1, need.runners) });
    for (const need of this.#needs.toReversed()) await this.#keep(need);
  }

  /** Runners that have each version that is kept; undefined while none is. */
  warm(nowMs: number): Readonly<Record<string, number>> | undefined {
    if (this.#needs.length === 0) return undefined;
    const warm: Record<string, number> = {};
    for (const { model, version } of this.#needs) {
      const key = `${model}@${version}`;
      const runners = this.#parts.pool.runnersWith(key, true);
      const before = this.#counts.get(key);
      const isReplaced = before !== undefined && runners < before.runners && nowMs - before.atMs < REPLACED_WITHIN_MS;
      if (!isReplaced) this.#counts.set(key, { runners, atMs: nowMs });
      warm[key] = isReplaced ? before.runners : runners;
    }
    return warm;
  }

  async #look(nowMs: number): Promise<void> {
    const releases = await this.#ports.releases.listActive();
    const needs: Need[] = [];
    for (const release of releases) needs.push(...(await this.#needsOf(release, nowMs)));
    this.#needs = needs;
    const keys = new Set(needs.map(({ model, version }) => `${model}@${version}`));
    this.#parts.pool.keep(keys);
    for (const kept of [this.#counts, this.#pauses])
      for (const key of kept.keys()) if (!keys.has(key)) kept.delete(key);
    if (releases.length === 0) this.#pools.clear();
  }

  /** The stable version first. */
  async #needsOf(release: Release, nowMs: number): Promise<Need[]> {
    const { model } = release;
    const needs: Need[] = [];
    for (const [version, share] of desiredOf(release, nowMs).warm) {
      const runners = runnersFor(share, this.#config.runners);
      if (runners > 0 && (await this.#isServedHere(model, version))) needs.push({ model, version, runners });
    }
    return needs;
  }

  async #isServedHere(model: string, version: string): Promise<boolean> {
    const { pool } = this.#parts;
    if (pool.loaded().some((key) => key.startsWith(`${model}@`))) return true;
    const key = `${model}@${version}`;
    if (!this.#pools.has(key)) {
      const record = await this.#ports.registry.readVersion(model, version);
      this.#pools.set(key, record === undefined ? undefined : (record.manifest.pool ?? 'default'));
    }
    return this.#pools.get(key) === this.#config.pool;
  }

  async #keep({ model, version, runners }: Need): Promise<void> {
    const { pool, shelf } = this.#parts;
    const { clock, log } = this.#ports;
    const key = `${model}@${version}`;
    if (pool.runnersWith(key, true) >= runners) return;
    const pause = this.#pauses.get(key);
    if (pause !== undefined && clock.nowMs() < pause.untilMs) return;
    try {
      const served = shelf.known(key) ?? (await shelf.bring(model, version));
      if (pool.runnersWith(key) < runners) await this.#load(served);
      const cold = pool.coldWith(key);
      if (cold !== undefined) await this.#runOnce(served, cold);
      if (pool.runnersWith(key, true) >= runners) this.#pauses.delete(key);
    } catch (error) {
      const ms = Math.min(LONGEST_PAUSE_MS, pause === undefined ? FIRST_PAUSE_MS : 2 * pause.ms);
      this.#pauses.set(key, { ms, untilMs: clock.nowMs() + ms });
      log.error('a version of a release is not warm', error, { version: key });
    }
  }

  /** Nothing where there is no room at the moment. */
  async #load(served: ServedVersion): Promise<void> {
    const { pool } = this.#parts;
    const slot = pool.roomToKeep(served, this.#ports.clock.nowMs());
    if (slot === undefined) return;
    const failure = await pool.load(slot, served, true);
    if (failure === undefined) return;
    this.#onIdle();
    throw failure;
  }

  /** The first run of a session is slower than all others: nobody waits for this one. Refused or not, the session is warm then. */
  async #runOnce(served: ServedVersion, slot: Slot): Promise<void> {
    const { pool } = this.#parts;
    const { record, key } = served;
    const { manifest, validation } = record;
    const length = validation.speed[0]?.length ?? FIRST_LENGTH;
    const row = generateRow(record.graphSignature ?? record.signature, manifest, 0, length);
    pool.take(slot);
    const answer = await pool.run(slot, served, row, this.#ports.clock.nowMs() + FIRST_RUN_MS);
    this.#onIdle();
    if (answer.kind !== 'crashed' && answer.kind !== 'timed-out') return;
    throw new Failure('runner-crashed', { model: key, detail: `the first run of ${key} ended its runner` });
  }
}
