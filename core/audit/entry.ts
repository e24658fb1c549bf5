import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ROLES } from '../tenancy/principal.ts';

/** Of a request whose credentials were refused. */
export const NOBODY = 'nobody';

const text = z.string().min(1).max(500);

/**
 * What became of a request. `begun`: it was let in and is about to change something; `ended`: it was answered. A request that was refused for
 * who asked has the second alone.
 */
const outcomeSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('begun') }),
  z.strictObject({
    kind: z.literal('ended'),
    status: z.int(),
    /** Of the failure, if it was one. */
    code: text.optional(),
    /** Of the entry in which it began. */
    begunSeq: z.int().min(1).optional(),
  }),
]);

const draft = {
  atMs: z.number().min(0),
  /** Principal id. */
  by: text,
  role: z.enum([...ROLES, NOBODY]),
  /** Of the principal, or the one that an operator named: its admins may see the entry. */
  tenant: text.optional(),
  /** The id of the route. */
  action: text,
  /** What stands in its path, by name. */
  target: z.record(z.string(), text),
  outcome: outcomeSchema,
  /** In the words of who asked, where the route asks for any. */
  reason: text.optional(),
  /** Refusals before this one that were too many to be recorded. */
  skipped: z.int().min(1).optional(),
} as const;

const draftSchema = z.strictObject(draft);
export const auditEntrySchema = z.strictObject({
  ...draft,
  /** From 1, without gaps. */
  seq: z.int().min(1),
  /** SHA-256 in hex of the entry before it and this one: see `chainHash`. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
});

/** One request that changes something, or was refused; never a body, a payload or a secret. */
export type AuditDraft = z.infer<typeof draftSchema>;
/** As it lies in the chain. */
export type AuditEntry = z.infer<typeof auditEntrySchema>;
/** The last entry of the chain. */
export type ChainHead = Pick<AuditEntry, 'seq' | 'hash'>;

/** Before the first entry. */
export const NO_HEAD: ChainHead = { seq: 0, hash: '0'.repeat(64) };

/** The entry that follows `head`; its time is not before `notBeforeMs`, that of the entry before it. */
export function follow(head: ChainHead, draft: AuditDraft, notBeforeMs: number): AuditEntry {
  const entry = { ...draft, atMs: Math.max(draft.atMs, notBeforeMs), seq: head.seq + 1 };
  return { ...entry, hash: chainHash(entry, head.hash) };
}

/** Of an entry's members in a fixed order, absent ones as null, and the hash of the entry before it. */
export function chainHash(entry: Omit<AuditEntry, 'hash'>, previous: string): string {
  const { seq, atMs, by, role, tenant, action, target, outcome, reason, skipped } = entry;
  const ended = outcome.kind === 'ended' ? [outcome.status, outcome.code ?? null, outcome.begunSeq ?? null] : [];
  const names = Object.keys(target).sort();
  const members = [
    ...[seq, atMs, by, role, tenant ?? null, action, names.map((name) => [name, target[name]])],
    ...[[outcome.kind, ...ended], reason ?? null, skipped ?? null, previous],
  ];
  return createHash('sha256').update(JSON.stringify(members)).digest('hex');
}
