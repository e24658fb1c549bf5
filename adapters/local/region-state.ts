import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** Whether the region was closed in order by the process that had it last. */
export class RegionState {
  readonly #get: StatementSync;
  readonly #put: StatementSync;

  constructor(database: DatabaseSync) {
    this.#get = database.prepare("SELECT value FROM region_state WHERE name = 'open'");
    this.#put = database.prepare("INSERT OR REPLACE INTO region_state (name, value) VALUES ('open', ?)");
  }

  /** True of a new region too. */
  wasClosed(): boolean {
    return (this.#get.get() as { value: number } | undefined)?.value !== 1;
  }

  /** Inside a write. */
  markOpen(): void {
    this.#put.run(1);
  }

  /** Inside a write. */
  markClosed(): void {
    this.#put.run(0);
  }
}
