import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { DataKeys } from '../../core/ports/data-keys.ts';
import { MINUTE_MS } from '../../core/units.ts';
import { type Adapter, atOnce, type Case, describeContract, failureCodeOf, type Subject } from './contract.ts';

type DataKeysCase = Case<Subject<DataKeys>>;

const PLAIN = Buffer.from('the patient reports');
/** Caches of keys are at most this old. */
const CACHED_MS = 5 * MINUTE_MS;

export const dataKeysCases: readonly DataKeysCase[] = [
  {
    name: 'opens what it sealed, of any size, after a crash too',
    async run(subject) {
      const plains = [Buffer.alloc(0), PLAIN, randomBytes(100_000)];
      const sealed = await Promise.all(plains.map((plain) => subject.port.seal('acme', 'job/1', plain)));
      const check = async () => {
        for (const [index, plain] of plains.entries()) {
          expect(Buffer.from(await subject.port.open('acme', 'job/1', sealed[index]!)).equals(plain)).toBe(true);
        }
      };
      await check();
      await subject.crash();
      await check();
    },
  },
  {
    name: 'seals the same twice in two ways, neither showing the plain bytes',
    async run({ port }) {
      const [first, second] = await atOnce(2, async () => Buffer.from(await port.seal('acme', 'job/1', PLAIN)));
      expect(first!.equals(second!)).toBe(false);
      expect(first!.includes(PLAIN.subarray(0, 8))).toBe(false);
    },
  },
  {
    name: 'opens under no other tenant or context, and with no bit changed, cut off or added',
    async run({ port }) {
      await port.seal('globex', 'job/1', PLAIN);
      const sealed = await port.seal('acme', 'job/1', PLAIN);
      const attempts: [tenant: string, context: string, sealed: Uint8Array][] = [
        ['globex', 'job/1', sealed],
        ['initech', 'job/1', sealed],
        ['acme', 'job/2', sealed],
        ['acme', 'job/1', sealed.subarray(0, sealed.length - 1)],
        ['acme', 'job/1', new Uint8Array(0)],
        ['acme', 'job/1', Buffer.concat([sealed, Buffer.alloc(1)])],
      ];
      for (let byte = 0; byte < sealed.length; byte++) {
        const changed = Buffer.from(sealed);
        changed[byte]! ^= 1;
        attempts.push(['acme', 'job/1', changed]);
      }
      for (const attempt of attempts) expect(await failureCodeOf(port.open(...attempt))).toBe('record-damaged');
    },
  },
  {
    name: 'gives concurrent first callers one key',
    async run(subject) {
      const sealed = await atOnce(10, () => subject.port.seal('acme', 'job/1', PLAIN));
      await subject.crash();
      for (const bytes of sealed) expect(Buffer.from(await subject.port.open('acme', 'job/1', bytes))).toEqual(PLAIN);
    },
  },
  {
    name: 'never opens what was sealed before the key was destroyed, and seals anew',
    async run(subject) {
      const { port } = subject;
      const [before, kept] = [await port.seal('acme', 'job/1', PLAIN), await port.seal('globex', 'job/1', PLAIN)];
      await port.destroy('nobody');
      await port.destroy('acme');
      await subject.advance(CACHED_MS);
      expect(await failureCodeOf(port.open('acme', 'job/1', before))).toBe('data-erased');
      const after = await port.seal('acme', 'job/1', PLAIN);
      await subject.crash();
      expect(await failureCodeOf(subject.port.open('acme', 'job/1', before))).toBe('data-erased');
      expect(Buffer.from(await subject.port.open('acme', 'job/1', after))).toEqual(PLAIN);
      expect(Buffer.from(await subject.port.open('globex', 'job/1', kept))).toEqual(PLAIN);
    },
  },
  {
    name: 'makes the same fingerprint of the same bytes for one tenant, until its key is destroyed',
    async run(subject) {
      const before = await subject.port.fingerprint('acme', PLAIN);
      expect(before).toMatch(/^[0-9a-f]{64}$/);
      expect(await subject.port.fingerprint('globex', PLAIN)).not.toBe(before);
      expect(await subject.port.fingerprint('acme', randomBytes(8))).not.toBe(before);
      await subject.crash();
      expect(await subject.port.fingerprint('acme', PLAIN)).toBe(before);
      await subject.port.destroy('acme');
      await subject.advance(CACHED_MS);
      expect(await subject.port.fingerprint('acme', PLAIN)).not.toBe(before);
    },
  },
];

export function describeDataKeysContract(name: string, adapter: Adapter<DataKeys>): void {
  describeContract(`data keys: ${name}`, dataKeysCases, adapter);
}
