import { expect } from 'vitest';
import type { Idempotency, IdempotencyKey, IdempotencyRecord } from '../../core/ports/idempotency.ts';
import { SECOND_MS } from '../../core/units.ts';
import { type Adapter, atOnce, type Case, countBy, describeContract, type Subject } from './contract.ts';

type IdempotencyCase = Case<Subject<Idempotency>>;

const KEY: IdempotencyKey = { tenant: 'acme', principal: 'key:1', route: 'infer/m', key: 'order 1' };

function aRecord(nowMs: number, changes: Partial<IdempotencyRecord> = {}): IdempotencyRecord {
  return {
    fingerprint: 'f1',
    jobId: 'pred_1',
    leaseUntilMs: nowMs + SECOND_MS,
    expiresAtMs: nowMs + 10 * SECOND_MS,
    ...changes,
  };
}

export const idempotencyCases: readonly IdempotencyCase[] = [
  {
    name: 'lets one of concurrent claims win and tells the others of it, after a crash too',
    async run(subject) {
      const nowMs = subject.nowMs();
      const answers = await atOnce(20, (index) =>
        subject.port.claim(KEY, aRecord(nowMs, { jobId: `pred_${index}` }), nowMs),
      );
      const winner = answers.indexOf('claimed');
      const record = aRecord(nowMs, { jobId: `pred_${winner}` });
      expect(countBy(answers, (answer) => (answer === 'claimed' ? answer : answer.jobId))).toEqual({
        claimed: 1,
        [record.jobId]: 19,
      });
      await subject.crash();
      expect(await subject.port.read(KEY, nowMs)).toEqual(record);
      expect(await subject.port.claim(KEY, aRecord(nowMs), nowMs)).toEqual(record);
    },
  },
  {
    name: 'takes each tenant, principal, route and key for itself',
    async run({ port, nowMs }) {
      await port.claim(KEY, aRecord(nowMs()), nowMs());
      for (const change of [{ tenant: 'globex' }, { principal: 'key:2' }, { route: 'infer/n' }, { key: 'order 2' }]) {
        expect(await port.read({ ...KEY, ...change }, nowMs())).toBeUndefined();
        expect(await port.renew({ ...KEY, ...change }, 'pred_1', nowMs() + 9999, nowMs() + SECOND_MS)).toBe(false);
        expect(await port.claim({ ...KEY, ...change }, aRecord(nowMs()), nowMs())).toBe('claimed');
      }
    },
  },
  {
    name: 'frees a key at its expiry, not before',
    async run({ port, nowMs }) {
      const record = aRecord(nowMs());
      await port.claim(KEY, record, nowMs());
      const next = aRecord(record.expiresAtMs, { jobId: 'pred_2' });
      expect(await port.claim(KEY, next, record.expiresAtMs - 1)).toEqual(record);
      expect(await port.read(KEY, record.expiresAtMs)).toBeUndefined();
      expect(await port.claim(KEY, next, record.expiresAtMs)).toBe('claimed');
      expect(await port.read(KEY, record.expiresAtMs)).toEqual(next);
    },
  },
  {
    name: 'lets one caller take over a lease that has ended, and nobody before or for another job',
    async run({ port, nowMs }) {
      const record = aRecord(nowMs());
      await port.claim(KEY, record, nowMs());
      const untilMs = record.leaseUntilMs + SECOND_MS;
      expect(await port.renew(KEY, record.jobId, untilMs, record.leaseUntilMs - 1)).toBe(false);
      expect(await port.renew(KEY, 'pred_2', untilMs, record.leaseUntilMs)).toBe(false);
      const answers = await atOnce(10, () => port.renew(KEY, record.jobId, untilMs, record.leaseUntilMs));
      expect(countBy(answers, String)).toEqual({ true: 1, false: 9 });
      expect(await port.read(KEY, nowMs())).toEqual({ ...record, leaseUntilMs: untilMs });
      expect(await port.renew(KEY, record.jobId, untilMs + 1, record.expiresAtMs)).toBe(false);
    },
  },
  {
    name: "erases a tenant's keys and no other's",
    async run(subject) {
      const nowMs = subject.nowMs();
      for (const tenant of ['acme', 'globex']) await subject.port.claim({ ...KEY, tenant }, aRecord(nowMs), nowMs);
      await subject.port.erase('acme');
      await subject.crash();
      expect(await subject.port.read(KEY, nowMs)).toBeUndefined();
      expect(await subject.port.read({ ...KEY, tenant: 'globex' }, nowMs)).toEqual(aRecord(nowMs));
    },
  },
];

export function describeIdempotencyContract(name: string, adapter: Adapter<Idempotency>): void {
  describeContract(`idempotency: ${name}`, idempotencyCases, adapter);
}
