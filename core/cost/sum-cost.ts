import { dayText } from './meter-days.ts';
import type { PricedDay, PricedUse, PricedWorker } from './price-day.ts';

export const COST_KEYS = ['day', 'tenant', 'model', 'version', 'pool'] as const;
export type CostBy = (typeof COST_KEYS)[number];

/** What of a use names its line. */
export type CostKey = {
  readonly day?: string;
  /** undefined with `by` tenant: the platform's own runs, shadow copies of releases and synthetic checks. */
  readonly tenant?: string | undefined;
  readonly model?: string;
  readonly version?: string;
  readonly pool?: string;
};

export type Spent = {
  readonly nanoUsd: number;
  readonly computeMs: number;
  readonly rows: number;
  readonly requests: number;
};

/** Workers of a line: of a day or a pool. Their cost is what was spent and what was idle. */
export type Idle = {
  readonly idleNanoUsd: number;
  readonly nanoUsd: number;
  readonly upMs: number;
  readonly gpu: boolean;
  /** As bought: `g5.xlarge spot`. */
  readonly kinds: readonly string[];
};

export type CostLine = { readonly key: CostKey; readonly spent: Spent; readonly idle: Idle | undefined };

export type CostSum = {
  readonly nanoUsd: number;
  readonly idleNanoUsd: number;
  /** Of workers with GPUs alone; undefined where none was up. */
  readonly gpuIdleShare: number | undefined;
  /** Days in order, everything else the dearest first. */
  readonly lines: readonly CostLine[];
  /** Lines beyond the most that were asked for. */
  readonly rest: Spent | undefined;
};

/** Adds up priced days by one key, day by day, so that no more than a day of records is in memory. */
export class CostSums {
  readonly #by: CostBy;
  readonly #lines = new Map<string, { key: CostKey; spent: Mutable<Spent>; idle: MutableIdle | undefined }>();
  #nanoUsd = 0;
  #idleNanoUsd = 0;
  #gpu = { nanoUsd: 0, idleNanoUsd: 0 };

  constructor(by: CostBy) {
    this.#by = by;
  }

  add({ uses, workers }: PricedDay): void {
    for (const worker of workers) this.#addWorker(worker);
    for (const use of uses) this.addUse(use);
  }

  addUse(use: PricedUse): void {
    const { spent } = this.#line(keyOf(this.#by, use));
    spent.nanoUsd += use.nanoUsd;
    spent.computeMs += use.computeMs;
    spent.rows += use.rows;
    spent.requests += use.requests;
  }

  /** A line for what was answered without a run, also where it costs nothing. */
  addModel(version: { readonly model: string; readonly version: string }): void {
    if (this.#by === 'model') this.#line({ model: version.model });
    if (this.#by === 'version') this.#line({ model: version.model, version: version.version });
  }

  /** At most `most` lines, the rest of them in one. */
  sum(most: number): CostSum {
    const all = [...this.#lines.values()];
    if (this.#by === 'day') all.sort((a, b) => (a.key.day! < b.key.day! ? -1 : 1));
    else all.sort((a, b) => costOf(b) - costOf(a) || (textOf(a.key) < textOf(b.key) ? -1 : 1));
    const [lines, others] = [all.slice(0, most), all.slice(most)];
    return {
      nanoUsd: this.#nanoUsd,
      idleNanoUsd: this.#idleNanoUsd,
      gpuIdleShare: this.#gpu.nanoUsd === 0 ? undefined : this.#gpu.idleNanoUsd / this.#gpu.nanoUsd,
      lines: lines.map(({ key, spent, idle }) => ({
        key,
        spent,
        idle: idle && { ...idle, kinds: [...idle.kinds].sort() },
      })),
      rest: others.length === 0 ? undefined : sumSpent(others.map(({ spent }) => spent)),
    };
  }

  #addWorker(worker: PricedWorker): void {
    this.#nanoUsd += worker.nanoUsd;
    this.#idleNanoUsd += worker.idleNanoUsd;
    if (worker.gpu) {
      this.#gpu.nanoUsd += worker.nanoUsd;
      this.#gpu.idleNanoUsd += worker.idleNanoUsd;
    }
    if (this.#by !== 'day' && this.#by !== 'pool') return;
    const line = this.#line(this.#by === 'day' ? { day: dayText(worker.day) } : { pool: worker.pool });
    line.idle ??= { idleNanoUsd: 0, nanoUsd: 0, upMs: 0, gpu: false, kinds: new Set() };
    line.idle.idleNanoUsd += worker.idleNanoUsd;
    line.idle.nanoUsd += worker.nanoUsd;
    line.idle.upMs += worker.upMs;
    line.idle.gpu ||= worker.gpu;
    line.idle.kinds.add(`${worker.instanceType} ${worker.purchase}`);
  }

  #line(key: CostKey) {
    const text = textOf(key);
    let line = this.#lines.get(text);
    if (line === undefined) {
      line = { key, spent: { nanoUsd: 0, computeMs: 0, rows: 0, requests: 0 }, idle: undefined };
      this.#lines.set(text, line);
    }
    return line;
  }
}

type Mutable<T> = { -readonly [Member in keyof T]: T[Member] };
type MutableIdle = Omit<Mutable<Idle>, 'kinds'> & { kinds: Set<string> };

export function sumSpent(all: readonly Spent[]): Spent {
  const sum = { nanoUsd: 0, computeMs: 0, rows: 0, requests: 0 };
  for (const spent of all) {
    sum.nanoUsd += spent.nanoUsd;
    sum.computeMs += spent.computeMs;
    sum.rows += spent.rows;
    sum.requests += spent.requests;
  }
  return sum;
}

function keyOf(by: CostBy, { day, tenant, model, version, pool }: PricedUse): CostKey {
  if (by === 'day') return { day: dayText(day) };
  if (by === 'tenant') return { tenant: tenant === '' ? undefined : tenant };
  if (by === 'model') return { model };
  if (by === 'version') return { model, version };
  return { pool };
}

function textOf(key: CostKey): string {
  return [key.day, key.tenant, key.model, key.version, key.pool].map((part) => part ?? '').join(' ');
}

/** What a line stands for: a pool that nobody used costs what it costs. */
function costOf({ spent, idle }: { readonly spent: Spent; readonly idle: { readonly nanoUsd: number } | undefined }) {
  return idle?.nanoUsd ?? spent.nanoUsd;
}
