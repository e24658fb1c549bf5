import { expect } from 'vitest';
import type { Tensor } from '../../core/inference/tensor.ts';
import type { AnswerStore, StoredAnswer } from '../../core/ports/answer-store.ts';
import { MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { floats } from '../support/jobs.ts';
import { type Adapter, type Case, describeContract, type Subject } from './contract.ts';

type AnswersCase = Case<Subject<AnswerStore>>;

const OUTPUTS: readonly Tensor[] = [
  { name: 'label', datatype: 'BYTES', shape: [2], data: ['sehr gut ☂', ''] },
  floats('scores', [2, 2], [0.25, -0, Number.NaN, Number.POSITIVE_INFINITY]),
  { name: 'id', datatype: 'INT64', shape: [1], data: new BigInt64Array([-(2n ** 63n)]) },
];

const answer = (changes: Partial<StoredAnswer> & Pick<StoredAnswer, 'expiresAtMs'>): StoredAnswer => ({
  version: '3',
  outputs: OUTPUTS,
  ...changes,
});

/** Time for a store that writes in the background. */
async function settle(subject: Subject<AnswerStore>): Promise<void> {
  await subject.advance(SECOND_MS);
  await subject.reopen();
}

export const answersCases: readonly AnswersCase[] = [
  {
    name: 'gives an answer back to its tenant under its key alone, bit for bit, after a restart too',
    async run(subject) {
      const expiresAtMs = subject.nowMs() + MINUTE_MS;
      subject.port.write('acme', 'k1', answer({ expiresAtMs }));
      const check = async () => {
        const found = await subject.port.read('acme', 'k1', subject.nowMs());
        expect(found).toEqual(answer({ expiresAtMs }));
        expect(Object.is((found!.outputs[1]!.data as Float32Array)[1], -0)).toBe(true);
        expect(await subject.port.read('globex', 'k1', subject.nowMs())).toBeUndefined();
        expect(await subject.port.read('acme', 'k2', subject.nowMs())).toBeUndefined();
      };
      await check();
      await settle(subject);
      await check();
    },
  },
  {
    name: 'gives nothing from its expiry on, after a restart either',
    async run(subject) {
      const expiresAtMs = subject.nowMs() + MINUTE_MS;
      for (const key of ['k1', 'k2']) subject.port.write('acme', key, answer({ expiresAtMs }));
      expect(await subject.port.read('acme', 'k1', expiresAtMs - 1)).toBeDefined();
      expect(await subject.port.read('acme', 'k1', expiresAtMs)).toBeUndefined();
      await settle(subject);
      expect(await subject.port.read('acme', 'k2', expiresAtMs)).toBeUndefined();
      expect(await subject.port.read('acme', 'k2', expiresAtMs - 1)).toBeDefined();
    },
  },
  {
    name: 'gives the answer that was written last',
    async run(subject) {
      const expiresAtMs = subject.nowMs() + MINUTE_MS;
      subject.port.write('acme', 'k1', answer({ expiresAtMs, version: '1' }));
      await settle(subject);
      subject.port.write('acme', 'k1', answer({ expiresAtMs: expiresAtMs + 1, version: '2' }));
      const check = async () =>
        expect(await subject.port.read('acme', 'k1', expiresAtMs)).toMatchObject({ version: '2' });
      await check();
      await settle(subject);
      await check();
    },
  },
  {
    name: "forgets a tenant's answers wherever they are, and no other's",
    async run(subject) {
      const expiresAtMs = subject.nowMs() + MINUTE_MS;
      for (const tenant of ['acme', 'globex']) subject.port.write(tenant, 'stored', answer({ expiresAtMs }));
      await settle(subject);
      for (const tenant of ['acme', 'globex']) subject.port.write(tenant, 'fresh', answer({ expiresAtMs }));
      // One that is in memory, from the store.
      await subject.port.read('acme', 'stored', subject.nowMs());
      await subject.port.erase('acme');
      const check = async () => {
        for (const key of ['stored', 'fresh']) {
          expect(await subject.port.read('acme', key, subject.nowMs())).toBeUndefined();
        }
        expect(await subject.port.read('globex', 'stored', subject.nowMs())).toBeDefined();
      };
      await check();
      await settle(subject);
      await check();
      subject.port.write('acme', 'fresh', answer({ expiresAtMs }));
      expect(await subject.port.read('acme', 'fresh', subject.nowMs())).toBeDefined();
    },
  },
  {
    name: 'forgets what has expired, and says how many',
    async run(subject) {
      const nowMs = subject.nowMs();
      for (const [at, key] of ['k1', 'k2', 'k3'].entries()) {
        subject.port.write('acme', key, answer({ expiresAtMs: nowMs + (at + 1) * MINUTE_MS }));
      }
      await settle(subject);
      expect(await subject.port.purge(nowMs + 2 * MINUTE_MS)).toBe(2);
      expect(await subject.port.purge(nowMs + 2 * MINUTE_MS)).toBe(0);
      expect(await subject.port.read('acme', 'k1', nowMs)).toBeUndefined();
      expect(await subject.port.read('acme', 'k3', nowMs)).toBeDefined();
    },
  },
];

export function describeAnswersContract(name: string, adapter: Adapter<AnswerStore>): void {
  describeContract(`answers: ${name}`, answersCases, adapter);
}
