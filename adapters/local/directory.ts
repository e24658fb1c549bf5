import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { Failure } from '../../core/failure.ts';
import type { Directory } from '../../core/ports/directory.ts';
import type { DirectoryEntry, WrongRegion } from '../../core/tenancy/tenant.ts';
import { asStorageFailure } from './storage-failure.ts';

type HomeRow = { readonly tenant: string; readonly region: string; readonly wrongRegion: WrongRegion };

/** The home regions, in a database of their own that the regions of a machine share; a write is a transaction. */
export class LocalDirectory implements Directory {
  readonly #database: DatabaseSync;
  readonly #select: StatementSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#select = database.prepare('SELECT tenant, region, wrong_region AS wrongRegion FROM home WHERE tenant = ?');
    this.#put = database.prepare(
      `INSERT INTO home (tenant, region, wrong_region) VALUES (?, ?, ?)
       ON CONFLICT (tenant) DO UPDATE SET wrong_region = excluded.wrong_region WHERE region = excluded.region`,
    );
    this.#delete = database.prepare('DELETE FROM home WHERE tenant = ?');
  }

  async lookup(tenant: string): Promise<DirectoryEntry | undefined> {
    const row = this.#select.get(tenant) as HomeRow | undefined;
    return row === undefined ? undefined : { ...row };
  }

  async put(entry: DirectoryEntry): Promise<void> {
    const { changes } = onDisk(() => this.#put.run(entry.tenant, entry.region, entry.wrongRegion));
    if (changes === 0) throw new Failure('already-exists', { detail: 'the tenant has another home region' });
  }

  async remove(tenant: string): Promise<void> {
    onDisk(() => this.#delete.run(tenant));
  }

  close(): void {
    this.#database.close();
  }
}

function onDisk<T>(statement: () => T): T {
  try {
    return statement();
  } catch (error) {
    throw asStorageFailure(error);
  }
}
