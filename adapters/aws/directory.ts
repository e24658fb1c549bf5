import { z } from 'zod';
import { Failure } from '../../core/failure.ts';
import type { Directory } from '../../core/ports/directory.ts';
import { type DirectoryEntry, regionSchema, tenantIdSchema, wrongRegionSchema } from '../../core/tenancy/tenant.ts';
import { homeKey } from './keys.ts';
import { parseItem } from './parse-item.ts';
import type { Table } from './table.ts';

const entrySchema = z.strictObject({
  pk: z.string(),
  sk: z.string(),
  tenant: tenantIdSchema,
  region: regionSchema,
  wrongRegion: wrongRegionSchema,
});

/** The global table of home regions. Replicas follow within about a second; the last writer wins between them. */
export class AwsDirectory implements Directory {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async lookup(tenant: string): Promise<DirectoryEntry | undefined> {
    const item = await this.#table.get(homeKey(tenant));
    if (item === undefined) return undefined;
    const { region, wrongRegion } = parseItem(entrySchema, item);
    return { tenant, region, wrongRegion };
  }

  async put(entry: DirectoryEntry): Promise<void> {
    const condition = {
      text: 'attribute_not_exists(pk) OR #region = :region',
      names: { '#region': 'region' },
      values: { ':region': entry.region },
    };
    const { written } = await this.#table.put({ ...homeKey(entry.tenant), ...entry }, condition);
    if (!written) throw new Failure('already-exists', { field: 'id' });
  }

  remove(tenant: string): Promise<void> {
    return this.#table.delete(homeKey(tenant));
  }
}
