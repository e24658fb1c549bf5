import type { AuditDraft, AuditEntry, ChainHead } from '../audit/entry.ts';

/** An entry as it is stored, which nobody has checked; undefined: it cannot be read. */
export type StoredEntry = { readonly seq: number; readonly entry: AuditEntry | undefined };

/**
 * The audit log of one region: a chain of entries, each with the hash of the one before it, and apart from them its head. Nothing is ever changed or deleted.
 * Reads are strong.
 */
export interface Audits {
  /**
   * Adds an entry after the last one and moves the head, both or neither; durable when it resolves. Of concurrent callers each gets a place of its own, without
   * gaps. `overloaded` where too many come at once, `storage-unavailable` where it cannot be written.
   */
  append(draft: AuditDraft): Promise<AuditEntry>;
  /** Undefined: there is none. */
  head(): Promise<ChainHead | undefined>;
  /** Up to `limit` entries from this one on, in order; one that is gone is left out. */
  walk(fromSeq: number, limit: number): Promise<readonly StoredEntry[]>;
  /** Up to `limit` entries before this one, the newest first; of a tenant alone if one is named. What cannot be read is left out and logged. */
  newest(tenant: string | undefined, beforeSeq: number, limit: number): Promise<readonly AuditEntry[]>;
}
