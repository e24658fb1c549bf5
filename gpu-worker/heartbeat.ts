import type { Provider } from '../adapters/onnx/providers.ts';
import type { CapacityReport } from '../core/ports/capacity.ts';
import type { Platform } from '../core/ports/platform.ts';
import { SECOND_MS } from '../core/units.ts';
import type { DispatchParts } from './dispatcher.ts';
import { repeat } from './repeat.ts';
import { USAGE_EVERY_MS, UsageMeter } from './usage.ts';
import { WarmKeeper } from './warm-keeper.ts';

/** How exactly a runner is killed at its deadline; asked only while one runs. */
const WATCH_MS = 25;
const REPORT_MS = 100;
/** Reports count for 10 s: three may be lost. */
const REPORT_UNCHANGED_MS = 2.5 * SECOND_MS;
const TIDY_MS = SECOND_MS;
const KEEP_WARM_MS = SECOND_MS;

export type HeartbeatConfig = {
  readonly worker: string;
  readonly pool: string;
  readonly runners: number;
  readonly provider: Provider;
};

type HeartbeatPorts = Pick<Platform, 'capacity' | 'registry' | 'releases' | 'clock' | 'log'>;

/** The worker's only clock: kills overdue runs, reports capacity, extends what is held, forgets what is idle, keeps warm what releases need. */
export class Heartbeat {
  readonly #ports: HeartbeatPorts;
  readonly #parts: DispatchParts;
  readonly #config: HeartbeatConfig;
  readonly #keeper: WarmKeeper;
  readonly #usage: UsageMeter;
  readonly #stopped = new AbortController();
  #reportedMs = 0;
  #reported = '';
  #tidiedMs = 0;
  #draining = false;
  readonly #startedAtMs: number;

  /** `onIdle`: a runner that loaded or ran what nobody waits for is idle again. */
  constructor(ports: HeartbeatPorts, parts: DispatchParts, config: HeartbeatConfig, onIdle: () => void) {
    this.#ports = ports;
    this.#parts = parts;
    this.#config = config;
    this.#startedAtMs = ports.clock.nowMs();
    this.#usage = new UsageMeter(ports, parts.pool, config.provider);
    this.#keeper = new WarmKeeper(ports, parts, config, onIdle);
  }

  async run(): Promise<void> {
    void repeat(this.#ports, 'looking at usage', USAGE_EVERY_MS, this.#stopped.signal, () => this.#usage.look());
    // Beside the beat, which a load must not hold up; one under way ends with its runner.
    void repeat(this.#ports, 'keeping warm', KEEP_WARM_MS, this.#stopped.signal, () => this.#keeper.tick());
    while (!this.#stopped.signal.aborted) {
      try {
        await this.#beat();
      } catch (error) {
        this.#ports.log.error('heartbeat', error);
      }
      const ms = this.#parts.pool.isBusy ? WATCH_MS : REPORT_MS;
      await this.#ports.clock.sleep(ms, this.#stopped.signal).catch(() => {});
    }
  }

  stop(): void {
    this.#stopped.abort();
  }

  /** From now on reports say that this worker takes no more work. */
  drain(): Promise<void> {
    this.#draining = true;
    return this.report();
  }

  async report(): Promise<void> {
    const { queue, pool, shelf, breakers } = this.#parts;
    const nowMs = this.#ports.clock.nowMs();
    const rowMs: Record<string, number> = {};
    for (const version of shelf.all()) if (version.measured) rowMs[version.key] = version.rowMs();
    const warm = this.#keeper.warm(nowMs);
    const report: CapacityReport = {
      worker: this.#config.worker,
      pool: this.#config.pool,
      atMs: nowMs,
      runners: this.#config.runners,
      backlogMs: queue.costMs('interactive') + queue.costMs('bulk'),
      rowMs,
      loaded: pool.loaded(),
      ...(warm && { warm }),
      breakers: breakers.reports(nowMs),
      draining: this.#draining,
      busy: pool.busy,
      startedAtMs: this.#startedAtMs,
      ...(this.#usage.latest && { usage: this.#usage.latest }),
    };
    this.#reportedMs = report.atMs;
    this.#reported = this.#digest(nowMs);
    await this.#ports.capacity.report(report);
  }

  async #beat(): Promise<void> {
    const { queue, pool, shelf, ledger } = this.#parts;
    const nowMs = this.#ports.clock.nowMs();
    pool.killOverdue(nowMs);
    if (nowMs - this.#tidiedMs >= TIDY_MS) {
      this.#tidiedMs = nowMs;
      pool.tidy(nowMs);
      queue.forgetIdle();
      shelf.forgetUnused(nowMs, new Set(pool.loaded()));
      await ledger.extend();
    }
    const age = nowMs - this.#reportedMs;
    if (age >= REPORT_UNCHANGED_MS || (age >= REPORT_MS && this.#digest(nowMs) !== this.#reported)) await this.report();
  }

  /** What makes a new report worth sending. */
  #digest(nowMs: number): string {
    const { queue, pool, breakers } = this.#parts;
    const backlogMs = queue.costMs('interactive') + queue.costMs('bulk');
    const warm = Object.entries(this.#keeper.warm(nowMs) ?? {}).join();
    return `${Math.round(backlogMs)} ${pool.loaded().join()} ${warm}${breakers.digest(nowMs)}`;
  }
}
