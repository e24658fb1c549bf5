import { expect } from 'vitest';
import type { AuditDraft } from '../../core/audit/entry.ts';
import { verifyChain } from '../../core/audit/verify-chain.ts';
import type { Audits } from '../../core/ports/audits.ts';
import { type Adapter, atOnce, type Case, describeContract, type Subject } from './contract.ts';

/** Hands on the store behind the port's back, as somebody with access to it has. */
export type AuditsSubject = Subject<Audits> & {
  /** Changes an entry and leaves its hash. */
  change(seq: number): Promise<void>;
  remove(seq: number): Promise<void>;
  /** Each in the other's place, whole. */
  swap(one: number, other: number): Promise<void>;
  /** Makes the head name the entry of this place, or none. */
  putHeadBack(seq: number): Promise<void>;
};

type AuditsCase = Case<AuditsSubject>;

export function aDraft(atMs: number, changes: Partial<AuditDraft> = {}): AuditDraft {
  return {
    atMs,
    by: 'key:1',
    role: 'operator',
    action: 'plan-put',
    target: { plan: 'pro' },
    outcome: { kind: 'begun' },
    ...changes,
  };
}

const FULL: Partial<AuditDraft> = {
  tenant: 'acme',
  target: { tenant: 'acme', key: 'k1' },
  outcome: { kind: 'ended', status: 409, code: 'state-conflict', begunSeq: 1 },
  reason: 'it is "better": Größe\n1',
  skipped: 3,
};

async function fill(subject: AuditsSubject, count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) await subject.port.append(aDraft(subject.nowMs() + at));
}

async function brokenAt(subject: AuditsSubject, known?: { seq: number; hash: string }): Promise<number | undefined> {
  const clock = { nowMs: () => subject.nowMs(), sleep: async () => {} };
  return (await verifyChain({ audits: subject.port, clock }, { known })).broken?.seq;
}

const keeping: AuditsCase[] = [
  {
    name: 'gives each of many appenders at once a place of its own, in one chain without gaps',
    async run(subject) {
      const entries = await atOnce(60, (at) => subject.port.append(aDraft(subject.nowMs(), { by: `key:${at}` })));
      expect(entries.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(entries.map((_, at) => at + 1));
      const stored = await subject.port.walk(1, 100);
      expect(stored.map(({ entry }) => entry)).toEqual([...entries].sort((a, b) => a.seq - b.seq));
      expect(await brokenAt(subject)).toBeUndefined();
    },
  },
  {
    name: 'keeps an entry whole, after a crash too, and goes on after it',
    async run(subject) {
      const first = await subject.port.append(aDraft(subject.nowMs()));
      const second = await subject.port.append(aDraft(subject.nowMs(), FULL));
      expect(second).toMatchObject({ ...FULL, seq: 2 });
      await subject.crash();
      expect((await subject.port.walk(1, 10)).map(({ entry }) => entry)).toEqual([first, second]);
      expect(await subject.port.head()).toEqual({ seq: 2, hash: second.hash });
      expect((await subject.port.append(aDraft(subject.nowMs()))).seq).toBe(3);
      expect(await brokenAt(subject)).toBeUndefined();
    },
  },
  {
    name: 'never lets times go backwards, whatever the clocks of its writers say',
    async run({ port, nowMs }) {
      const atMs = nowMs();
      await port.append(aDraft(atMs));
      expect((await port.append(aDraft(atMs - 5000))).atMs).toBe(atMs);
      expect((await port.append(aDraft(atMs + 1))).atMs).toBe(atMs + 1);
    },
  },
  {
    name: 'walks in order from a place on, and reads from the end, of a tenant alone where one is named',
    async run({ port, nowMs }) {
      expect([await port.head(), await port.walk(1, 10), await port.newest(undefined, 99, 10)]).toEqual([
        undefined,
        [],
        [],
      ]);
      for (const tenant of ['acme', undefined, 'globex', 'acme', 'acme'])
        await port.append(aDraft(nowMs(), { tenant }));
      const walked = async (from: number, limit: number) => (await port.walk(from, limit)).map(({ seq }) => seq);
      expect([await walked(1, 2), await walked(3, 10), await walked(6, 10)]).toEqual([[1, 2], [3, 4, 5], []]);
      const newest = async (tenant: string | undefined, before: number, limit: number) =>
        (await port.newest(tenant, before, limit)).map(({ seq }) => seq);
      expect(await newest(undefined, 5, 3)).toEqual([4, 3, 2]);
      expect(await newest('acme', 99, 2)).toEqual([5, 4]);
      expect(await newest('acme', 4, 10)).toEqual([1]);
      expect(await newest('nobody', 99, 10)).toEqual([]);
    },
  },
];

const tampering: AuditsCase[] = [
  {
    name: 'shows where an entry was changed',
    async run(subject) {
      await fill(subject, 6);
      await subject.change(3);
      expect(await brokenAt(subject)).toBe(3);
    },
  },
  {
    name: 'shows where an entry was taken out',
    async run(subject) {
      await fill(subject, 6);
      await subject.remove(4);
      expect(await brokenAt(subject)).toBe(4);
    },
  },
  {
    name: 'shows where entries were put in another order',
    async run(subject) {
      await fill(subject, 6);
      await subject.swap(2, 5);
      expect(await brokenAt(subject)).toBe(2);
    },
  },
  {
    name: 'shows where the end was cut off',
    async run(subject) {
      await fill(subject, 6);
      for (const seq of [5, 6]) await subject.remove(seq);
      expect(await brokenAt(subject)).toBe(5);
    },
  },
  {
    name: 'shows a head that was put back, and adds nothing where an entry is already',
    async run(subject) {
      await fill(subject, 6);
      await subject.putHeadBack(4);
      expect(await brokenAt(subject)).toBe(5);
      await subject.reopen();
      await expect(subject.port.append(aDraft(subject.nowMs()))).rejects.toMatchObject({ code: 'record-damaged' });
    },
  },
  {
    name: 'shows an end that was cut off with its head to who has noted a head down',
    async run(subject) {
      await fill(subject, 6);
      const known = (await subject.port.head())!;
      for (const seq of [5, 6]) await subject.remove(seq);
      await subject.putHeadBack(4);
      expect(await brokenAt(subject)).toBeUndefined();
      expect(await brokenAt(subject, known)).toBe(6);
    },
  },
];

export const auditsCases: readonly AuditsCase[] = [...keeping, ...tampering];

export function describeAuditsContract(name: string, adapter: Adapter<Audits, AuditsSubject>): void {
  describeContract(`audits: ${name}`, auditsCases, adapter);
}
