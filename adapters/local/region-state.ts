import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** Whether the processes that had the region before closed it in order. */
export class RegionState {
  readonly #get: StatementSync;
  readonly #put: StatementSync;

  constructor(database: DatabaseSync) {
    this.#get = database.prepare('SELECT value FROM region_state WHERE name = ?');
    this.#put = database.prepare('INSERT OR REPLACE INTO region_state (name, value) VALUES (?, ?)');
  }

  /**
   * Inside a write, when the region is opened. Returns before when the last crash was, undefined if there never was one: a
   * process that is closed in order knows nothing of the tenants that it was not asked about, so their crash still counts.
   */
  markOpen(nowMs: number): number | undefined {
    if (this.#read('open') === 1) this.#put.run('crashed-before', nowMs);
    this.#put.run('open', 1);
    return this.#read('crashed-before');
  }

  /** Inside a write. */
  markClosed(): void {
    this.#put.run('open', 0);
  }

  #read(name: string): number | undefined {
    return (this.#get.get(name) as { value: number } | undefined)?.value;
  }
}
