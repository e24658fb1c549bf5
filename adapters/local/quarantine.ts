import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '../../core/ports/clock.ts';
import type { Quarantine } from '../../core/ports/quarantine.ts';
import type { Commits } from './group-commit.ts';

/** Few inputs ever kill a runner, so all that are known are kept in memory too and asked there. */
export class LocalQuarantine implements Quarantine {
  readonly #commits: Commits;
  readonly #clock: Clock;
  readonly #put: StatementSync;
  readonly #purge: StatementSync;
  readonly #erase: StatementSync;
  /** Expiry by fingerprint, by tenant: what is on the disk, no more. */
  readonly #known = new Map<string, Map<string, number>>();

  constructor(database: DatabaseSync, commits: Commits, clock: Clock) {
    this.#commits = commits;
    this.#clock = clock;
    this.#put = database.prepare(
      'INSERT OR REPLACE INTO quarantine (tenant, fingerprint, reason, expires_at_ms) VALUES (?, ?, ?, ?)',
    );
    this.#purge = database.prepare('DELETE FROM quarantine WHERE tenant = ? AND expires_at_ms <= ?');
    this.#erase = database.prepare('DELETE FROM quarantine WHERE tenant = ?');
    const rows = database.prepare('SELECT tenant, fingerprint, expires_at_ms AS expiresAtMs FROM quarantine');
    for (const row of rows.all() as { tenant: string; fingerprint: string; expiresAtMs: number }[]) {
      this.#remember(row.tenant, row.fingerprint, row.expiresAtMs);
    }
  }

  async add(tenant: string, fingerprint: string, reason: string, expiresAtMs: number): Promise<void> {
    const nowMs = this.#clock.nowMs();
    await this.#commits.write(() => {
      this.#purge.run(tenant, nowMs);
      this.#put.run(tenant, fingerprint, reason, expiresAtMs);
    });
    for (const [known, untilMs] of this.#known.get(tenant) ?? [])
      if (untilMs <= nowMs) this.#known.get(tenant)!.delete(known);
    this.#remember(tenant, fingerprint, expiresAtMs);
  }

  isEmpty(tenant: string): boolean {
    return !this.#known.has(tenant);
  }

  async has(tenant: string, fingerprint: string, nowMs: number): Promise<boolean> {
    const untilMs = this.#known.get(tenant)?.get(fingerprint);
    return untilMs !== undefined && untilMs > nowMs;
  }

  async erase(tenant: string): Promise<void> {
    await this.#commits.write(() => this.#erase.run(tenant));
    this.#known.delete(tenant);
  }

  #remember(tenant: string, fingerprint: string, expiresAtMs: number): void {
    const known = this.#known.get(tenant);
    if (known === undefined) this.#known.set(tenant, new Map([[fingerprint, expiresAtMs]]));
    else known.set(fingerprint, expiresAtMs);
  }
}
