import { expect } from 'vitest';
import type { ValidationRecord } from '../../core/models/validation-record.ts';
import type { Validations } from '../../core/ports/validations.ts';
import { DAY_MS, SECOND_MS } from '../../core/units.ts';
import { aValidationRecord } from '../support/validation-records.ts';
import { type Adapter, atOnce, type Case, describeContract, type Subject } from './contract.ts';

type ValidationsSubject = Subject<Validations>;
type ValidationsCase = Case<ValidationsSubject>;

const LEASE_MS = 10 * SECOND_MS;

function take({ port, nowMs }: ValidationsSubject): Promise<ValidationRecord | undefined> {
  return port.take(nowMs(), nowMs() + LEASE_MS);
}

async function ids(subject: ValidationsSubject, model: string, limit = 10): Promise<string[]> {
  return (await subject.port.list(model, limit)).map(({ id }) => id);
}

/** What a validator writes once it knows. */
function ended(record: ValidationRecord, version = '1'): ValidationRecord {
  return { ...record, state: { kind: 'accepted', version } };
}

const adding: readonly ValidationsCase[] = [
  {
    name: 'keeps a record whole, after a crash too',
    async run(subject) {
      const record = aValidationRecord(subject.nowMs(), { goldenDigest: 'c'.repeat(64) });
      expect(await subject.port.add(record)).toEqual(record);
      await subject.crash();
      expect(await subject.port.read(record.id)).toEqual(record);
      expect(await subject.port.read(aValidationRecord(0).id)).toBeUndefined();
    },
  },
  {
    name: 'adds one of several at once that have one digest, and gives it to all of them',
    async run(subject) {
      const record = aValidationRecord(subject.nowMs());
      const same = () => aValidationRecord(subject.nowMs(), { digest: record.digest });
      const added = await atOnce(5, () => subject.port.add(same()));
      expect(new Set(added.map(({ id }) => id)).size).toBe(1);
      expect(await ids(subject, 'm')).toEqual([added[0]!.id]);
      const taken = await take(subject);
      expect((await subject.port.add(same())).id).toBe(added[0]!.id);
      expect(await take(subject)).toBeUndefined();
      expect(taken?.id).toBe(added[0]!.id);
    },
  },
  {
    name: 'adds the same again once the other has ended, and beside another model or digest',
    async run(subject) {
      const first = await subject.port.add(aValidationRecord(subject.nowMs()));
      await subject.port.update(ended((await take(subject))!));
      const again = await subject.port.add(aValidationRecord(subject.nowMs(), { digest: first.digest }));
      expect(again.id).not.toBe(first.id);
      const other = aValidationRecord(subject.nowMs(), { model: 'n', digest: first.digest });
      expect((await subject.port.add(other)).id).toBe(other.id);
      const third = aValidationRecord(subject.nowMs());
      expect((await subject.port.add(third)).id).toBe(third.id);
    },
  },
];

const taking: readonly ValidationsCase[] = [
  {
    name: 'gives the oldest that nobody works on, each to one of several at once',
    async run(subject) {
      const records = [1, 2, 3].map(() => aValidationRecord(subject.nowMs()));
      for (const record of records) await subject.port.add(record);
      const first = await take(subject);
      expect(first).toEqual({
        ...records[0],
        epoch: 2,
        state: { kind: 'running', leaseUntilMs: subject.nowMs() + LEASE_MS, attempts: 1 },
      });
      expect(await subject.port.read(first!.id)).toEqual(first);
      const rest = await atOnce(4, () => take(subject));
      expect(rest.map((taken) => taken?.id).sort()).toEqual(
        [records[1]!.id, records[2]!.id, undefined, undefined].sort(),
      );
    },
  },
  {
    name: 'gives it again when its lease is over, counting attempts, and none that has ended',
    async run(subject) {
      await subject.port.add(aValidationRecord(subject.nowMs()));
      const taken = await take(subject);
      await subject.advance(LEASE_MS - 1000);
      expect(await take(subject)).toBeUndefined();
      await subject.advance(1001);
      const again = await take(subject);
      expect(again).toMatchObject({ id: taken!.id, epoch: 3, state: { kind: 'running', attempts: 2 } });
      await subject.port.update(ended(again!));
      await subject.advance(2 * LEASE_MS);
      expect(await take(subject)).toBeUndefined();
    },
  },
  {
    name: 'gives what was under way when everything crashed, at the latest when the lease is over',
    async run(subject) {
      await subject.port.add(aValidationRecord(subject.nowMs()));
      const taken = await take(subject);
      await subject.crash();
      await subject.advance(LEASE_MS + 1);
      expect(await take(subject)).toMatchObject({ id: taken!.id, state: { attempts: 2 } });
    },
  },
  {
    name: 'takes writes of whoever took a record last, and of nobody who took it before',
    async run(subject) {
      await subject.port.add(aValidationRecord(subject.nowMs()));
      const slow = (await take(subject))!;
      expect(await subject.port.update({ ...slow, progress: 'measuring' })).toBe(true);
      await subject.advance(LEASE_MS + 1);
      const quick = (await take(subject))!;
      expect(await subject.port.update(ended(slow, '7'))).toBe(false);
      expect(await subject.port.read(slow.id)).toEqual(quick);
      expect(await subject.port.update(ended(quick, '8'))).toBe(true);
      expect(await subject.port.update(ended(slow, '7'))).toBe(false);
      await subject.crash();
      expect((await subject.port.read(quick.id))?.state).toEqual({ kind: 'accepted', version: '8' });
    },
  },
  {
    name: 'renews a lease that is written again, and gives back what is queued again',
    async run(subject) {
      await subject.port.add(aValidationRecord(subject.nowMs()));
      const taken = (await take(subject))!;
      const state = { kind: 'running', attempts: 1, leaseUntilMs: subject.nowMs() + 2 * LEASE_MS } as const;
      expect(await subject.port.update({ ...taken, state })).toBe(true);
      await subject.advance(LEASE_MS + 1);
      expect(await take(subject)).toBeUndefined();
      expect(await subject.port.update({ ...taken, state: { kind: 'queued' } })).toBe(true);
      expect(await take(subject)).toMatchObject({ id: taken.id, state: { attempts: 1 } });
    },
  },
];

const listing: readonly ValidationsCase[] = [
  {
    name: 'lists the newest of a model first, no more than asked for',
    async run(subject) {
      const records = [1, 2, 3].map(() => aValidationRecord(subject.nowMs()));
      for (const record of records) await subject.port.add(record);
      await subject.port.add(aValidationRecord(subject.nowMs(), { model: 'n' }));
      expect(await ids(subject, 'm')).toEqual(records.map(({ id }) => id).reverse());
      expect(await ids(subject, 'm', 2)).toEqual([records[2]!.id, records[1]!.id]);
      expect(await ids(subject, 'nothing')).toEqual([]);
    },
  },
  {
    name: 'forgets what is past its time, and nothing else',
    async run(subject) {
      const expiresAtMs = subject.nowMs() + DAY_MS;
      const records = [0, 0, 1].map((later) =>
        aValidationRecord(subject.nowMs(), { expiresAtMs: expiresAtMs + later }),
      );
      for (const record of records) await subject.port.add(record);
      expect(await subject.port.purge(expiresAtMs - 1)).toBe(0);
      expect(await subject.port.purge(expiresAtMs)).toBe(2);
      expect(await ids(subject, 'm')).toEqual([records[2]!.id]);
    },
  },
];

export const validationsCases: readonly ValidationsCase[] = [...adding, ...taking, ...listing];

export function describeValidationsContract(name: string, adapter: Adapter<Validations>): void {
  describeContract(`validations: ${name}`, validationsCases, adapter);
}
