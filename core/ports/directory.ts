import type { DirectoryEntry } from '../tenancy/tenant.ts';

/**
 * Which region is home to a tenant; replicated to every region and holding nothing else.
 * Reads may be as old as the replication (a second or so). Writes need the regions' own conditional write first.
 */
export interface Directory {
  lookup(tenant: string): Promise<DirectoryEntry | undefined>;
  /** Adds or replaces the policy; throws `already-exists` if the tenant has another home region. */
  put(entry: DirectoryEntry): Promise<void>;
  remove(tenant: string): Promise<void>;
}
