import { expect } from 'vitest';
import type { Quarantine } from '../../core/ports/quarantine.ts';
import { SECOND_MS } from '../../core/units.ts';
import { type Adapter, type Case, describeContract, type Subject } from './contract.ts';

type QuarantineCase = Case<Subject<Quarantine>>;

export const quarantineCases: readonly QuarantineCase[] = [
  {
    name: 'knows what was added for that tenant alone, until its expiry, after a crash too',
    async run(subject) {
      expect(await subject.port.isEmpty('acme')).toBe(true);
      const expiresAtMs = subject.nowMs() + SECOND_MS;
      await subject.port.add('acme', 'f1', 'runner-crashed', expiresAtMs);
      const check = async () => {
        const { port } = subject;
        expect(await port.isEmpty('acme')).toBe(false);
        expect(await port.has('acme', 'f1', expiresAtMs - 1)).toBe(true);
        expect(await port.has('acme', 'f1', expiresAtMs)).toBe(false);
        expect(await port.has('acme', 'f2', subject.nowMs())).toBe(false);
        expect(await port.has('globex', 'f1', subject.nowMs())).toBe(false);
        expect(await port.isEmpty('globex')).toBe(true);
      };
      await check();
      await subject.crash();
      await check();
    },
  },
  {
    name: 'adds the same again with its new expiry, and forgets none of the others',
    async run(subject) {
      const nowMs = subject.nowMs();
      for (const [fingerprint, expiresAtMs] of [
        ['f1', nowMs + 1],
        ['f2', nowMs + 5],
        ['f1', nowMs + 9],
      ] as const) {
        await subject.port.add('acme', fingerprint, 'runner-crashed', expiresAtMs);
      }
      await subject.reopen();
      expect(await subject.port.has('acme', 'f1', nowMs + 8)).toBe(true);
      expect(await subject.port.has('acme', 'f2', nowMs + 4)).toBe(true);
    },
  },
  {
    name: "erases a tenant's inputs and no other's",
    async run(subject) {
      const expiresAtMs = subject.nowMs() + SECOND_MS;
      for (const tenant of ['acme', 'globex']) await subject.port.add(tenant, 'f1', 'runner-crashed', expiresAtMs);
      await subject.port.erase('acme');
      await subject.reopen();
      expect(await subject.port.isEmpty('acme')).toBe(true);
      expect(await subject.port.has('globex', 'f1', subject.nowMs())).toBe(true);
    },
  },
];

export function describeQuarantineContract(name: string, adapter: Adapter<Quarantine>): void {
  describeContract(`quarantine: ${name}`, quarantineCases, adapter);
}
