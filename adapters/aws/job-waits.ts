import type { Job, Outcome } from '../../core/inference/job.ts';
import { MINUTE_MS } from '../../core/units.ts';
import { Recent } from './recent.ts';

type Name = Pick<Job, 'tenant' | 'id'>;

/** Who waits for a job here: told by `gone` when the caller leaves or the job was ended by this process. */
export type Wait = {
  readonly name: Name;
  readonly durable: boolean;
  readonly gone: AbortSignal;
  outcome: Outcome | undefined;
  readonly leave: () => void;
};

/** A worker holds a delivery no longer than this after its job ended: 2 s of prefetch, 30 s of visibility. */
const KNOWN_MS = 2 * MINUTE_MS;
/** About 150 bytes each. */
const MOST_KNOWN = 50_000;

/** What this process knows of jobs beyond their items: who waits here, who waited a moment ago, and what has ended. */
export class JobWaits {
  readonly #waits = new Map<string, Set<Wait>>();
  readonly #left = new Recent(KNOWN_MS, MOST_KNOWN);
  readonly #ended = new Recent(KNOWN_MS, MOST_KNOWN);

  enter(job: Name & { readonly durable?: boolean }, signal: AbortSignal | undefined): Wait {
    const ended = new AbortController();
    const gone = signal === undefined ? ended.signal : AbortSignal.any([signal, ended.signal]);
    const name = { tenant: job.tenant, id: job.id };
    const wait = { name, durable: job.durable !== false, gone, outcome: undefined, leave: () => ended.abort() };
    const key = keyOf(name);
    const waits = this.#waits.get(key);
    if (waits === undefined) this.#waits.set(key, new Set([wait]));
    else waits.add(wait);
    return wait;
  }

  leave(wait: Wait, nowMs: number): void {
    const key = keyOf(wait.name);
    const waits = this.#waits.get(key);
    waits?.delete(wait);
    if (waits?.size === 0) this.#waits.delete(key);
    this.#left.add(key, nowMs);
  }

  /** True of a job that somebody waits for here, or did a moment ago. */
  knows(job: Name, nowMs: number): boolean {
    return this.#waits.has(keyOf(job)) || this.#left.has(keyOf(job), nowMs);
  }

  /** The job has ended; `outcome`, if it was this process that ended it, is told to who waits here. */
  end(job: Name, nowMs: number, outcome?: Outcome): void {
    this.#ended.add(keyOf(job), nowMs);
    if (outcome === undefined) return;
    for (const wait of this.#waits.get(keyOf(job)) ?? []) {
      wait.outcome = outcome;
      wait.leave();
    }
  }

  hasEnded(job: Name, nowMs: number): boolean {
    return this.#ended.has(keyOf(job), nowMs);
  }

  ofTenant(tenant: string): readonly Wait[] {
    return [...this.#waits.values()].flatMap((waits) => [...waits]).filter(({ name }) => name.tenant === tenant);
  }
}

/** A tenant's id has no slash. */
function keyOf({ tenant, id }: Name): string {
  return `${tenant}/${id}`;
}
