import { expect } from 'vitest';
import { CAPTURE_LIMITS } from '../../core/inference/capture.ts';
import type { Capture, Captures } from '../../core/ports/captures.ts';
import { DAY_MS } from '../../core/units.ts';
import { aCapture } from '../support/captures.ts';
import { type Adapter, atOnce, type Case, describeContract, type Subject } from './contract.ts';

type CapturesCase = Case<Subject<Captures>>;

const MANY = 1000;
const idsOf = (captures: readonly Capture[]) => captures.map(({ id }) => id);

export const capturesCases: readonly CapturesCase[] = [
  {
    name: 'gives back what was written, every bit of it, after a crash too',
    async run(subject) {
      const capture = aCapture(subject.nowMs(), {
        inputs: [
          { name: 'text', datatype: 'BYTES', shape: [2], data: ['ünïcödé 🎉', ''] },
          { name: 'ids', datatype: 'INT64', shape: [1, 2], data: BigInt64Array.of(-(2n ** 63n), 1n) },
        ],
        outputs: [
          { name: 'y', datatype: 'FP32', shape: [1, 3], data: Float32Array.of(Number.NaN, -0, 1.5) },
          { name: 'none', datatype: 'BOOL', shape: [0], data: new Uint8Array(0) },
        ],
      });
      await subject.port.write(capture);
      const check = async () => expect(await subject.port.list('m', MANY, subject.nowMs())).toEqual([capture]);
      await check();
      await subject.crash();
      await check();
    },
  },
  {
    name: 'lists the newest of a model first, of all tenants or of one, and no more than asked for',
    async run({ port, nowMs }) {
      const now = nowMs();
      const order = [3, 1, 4, 0, 2];
      await Promise.all(
        order.map((age) => port.write(aCapture(now - age, { id: `a${age}`, tenant: age === 2 ? 'globex' : 'acme' }))),
      );
      await port.write(aCapture(now, { id: 'other', model: 'n' }));
      expect(idsOf(await port.list('m', MANY, now))).toEqual(['a0', 'a1', 'a2', 'a3', 'a4']);
      expect(idsOf(await port.list('m', 2, now))).toEqual(['a0', 'a1']);
      expect(idsOf(await port.list('m', MANY, now, 'acme'))).toEqual(['a0', 'a1', 'a3', 'a4']);
      expect(idsOf(await port.list('m', 1, now, 'globex'))).toEqual(['a2']);
      expect(await port.list('m', MANY, now, 'initech')).toEqual([]);
      expect(await port.list('o', MANY, now)).toEqual([]);
    },
  },
  {
    name: 'keeps the first of two with one id, and the same id of another tenant beside it',
    async run({ port, nowMs }) {
      const now = nowMs();
      await port.write(aCapture(now, { id: 'a', version: '1' }));
      await port.write(aCapture(now, { id: 'a', version: '2' }));
      await port.write(aCapture(now, { id: 'a', version: '3', tenant: 'globex' }));
      const versions = (await port.list('m', MANY, now)).map(({ tenant, version }) => `${tenant} ${version}`);
      expect(versions.sort()).toEqual(['acme 1', 'globex 3']);
    },
  },
  {
    name: 'has forgotten a capture at its expiry, not before, and purges those and no others',
    async run(subject) {
      const now = subject.nowMs();
      for (const days of [1, 2, 3]) {
        await subject.port.write(aCapture(now, { id: `a${days}`, expiresAtMs: now + days * DAY_MS }));
      }
      const left = async (atMs: number) => idsOf(await subject.port.list('m', MANY, atMs)).sort();
      expect(await left(now + 2 * DAY_MS - 1)).toEqual(['a2', 'a3']);
      expect(await left(now + 2 * DAY_MS)).toEqual(['a3']);
      expect(await subject.port.purge(now + DAY_MS - 1)).toBe(0);
      expect(await subject.port.purge(now + 2 * DAY_MS)).toBe(2);
      expect(await left(now)).toEqual(['a3']);
    },
  },
  {
    name: 'keeps the newest ten thousand of a tenant and model, whenever they were written, and all of the others',
    async run({ port, nowMs }) {
      const now = nowMs();
      await port.write(aCapture(now - 5, { id: 'of globex', tenant: 'globex' }));
      await port.write(aCapture(now - 5, { id: 'of n', model: 'n' }));
      await atOnce(CAPTURE_LIMITS.captures, (at) => port.write(aCapture(now + at, { id: `a${at}` })));
      const count = async () => (await port.list('m', 2 * CAPTURE_LIMITS.captures, now, 'acme')).length;
      expect(await count()).toBe(CAPTURE_LIMITS.captures);
      // One older than all finds no room, one newer takes the oldest's.
      await port.write(aCapture(now - 1, { id: 'late' }));
      await port.write(aCapture(now + 1e6, { id: 'newest' }));
      const kept = idsOf(await port.list('m', 2 * CAPTURE_LIMITS.captures, now, 'acme'));
      expect(kept).toHaveLength(CAPTURE_LIMITS.captures);
      expect([kept[0], kept.at(-1)]).toEqual(['newest', 'a1']);
      expect(idsOf(await port.list('m', 1, now, 'globex'))).toEqual(['of globex']);
      expect(idsOf(await port.list('n', 1, now))).toEqual(['of n']);
    },
  },
  {
    name: "erases a tenant's and no other's, those too that are written afterwards of predictions made before",
    async run(subject) {
      const madeMs = subject.nowMs();
      for (const tenant of ['acme', 'globex'])
        await subject.port.write(aCapture(madeMs, { id: `of ${tenant}`, tenant }));
      await subject.port.write(aCapture(madeMs, { id: 'of n', model: 'n' }));
      await subject.advance(1);
      await subject.port.erase('acme');
      await subject.port.write(aCapture(madeMs, { id: 'late' }));
      await subject.port.write(aCapture(madeMs, { id: 'late of globex', tenant: 'globex' }));
      await subject.advance(1);
      await subject.port.write(aCapture(subject.nowMs(), { id: 'new' }));
      const now = subject.nowMs();
      expect(idsOf(await subject.port.list('m', MANY, now)).sort()).toEqual(['late of globex', 'new', 'of globex']);
      expect(await subject.port.list('n', MANY, now)).toEqual([]);
    },
  },
];

export function describeCapturesContract(name: string, adapter: Adapter<Captures>): void {
  describeContract(`captures: ${name}`, capturesCases, adapter);
}
