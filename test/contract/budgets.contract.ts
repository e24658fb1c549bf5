import { expect } from 'vitest';
import type { Budget } from '../../core/cost/budget.ts';
import type { Budgets } from '../../core/ports/budgets.ts';
import { type Adapter, type Case, countBy, describeContract, failureCodeOf, type Subject } from './contract.ts';

type BudgetsCase = Case<Subject<Budgets>>;

function aBudget(changes: Partial<Budget> = {}): Budget {
  return { scope: 'region', usdPerDay: 12.5, usdPerMonth: 300, alarmAt: [0.8, 1], epoch: 1, ...changes };
}

export const budgetsCases: readonly BudgetsCase[] = [
  {
    name: 'keeps budgets whole, after a crash too, and lists them in order of scope',
    async run(subject) {
      const scopes = ['tenant:globex', 'region', 'model:m', 'tenant:acme'];
      for (const scope of scopes) await subject.port.write(aBudget({ scope }));
      await subject.port.write({ scope: 'tenant:monthly', usdPerMonth: 1, alarmAt: [1], epoch: 1 });
      await subject.crash();
      const all = await subject.port.list();
      expect(all.map(({ scope }) => scope)).toEqual([...scopes, 'tenant:monthly'].sort());
      expect(all[0]).toEqual(aBudget({ scope: 'model:m' }));
      expect(await subject.port.read('tenant:monthly')).toEqual(all.at(-1));
      expect(await subject.port.read('tenant:nobody')).toBeUndefined();
    },
  },
  {
    name: 'is changed only over the epoch that was read: of several at once one wins',
    async run({ port }) {
      await port.write(aBudget());
      expect(await failureCodeOf(port.write(aBudget({ usdPerDay: 1 })))).toBe('already-exists');
      expect(await failureCodeOf(port.write(aBudget({ epoch: 3 })))).toBe('state-conflict');
      const writes = [1, 2, 3, 4].map((usdPerDay) => port.write(aBudget({ usdPerDay, epoch: 2 })));
      const ended = await Promise.allSettled(writes);
      expect(countBy(ended, ({ status }) => status)).toEqual({ fulfilled: 1, rejected: 3 });
      const won = ended.findIndex(({ status }) => status === 'fulfilled') + 1;
      expect(await port.read('region')).toEqual(aBudget({ usdPerDay: won, epoch: 2 }));
    },
  },
  {
    name: 'is gone once removed, and may be made again; removing what is not there changes nothing',
    async run({ port }) {
      await port.write(aBudget());
      await port.write(aBudget({ scope: 'tenant:acme' }));
      await port.remove('region');
      await port.remove('region');
      expect([await port.read('region'), (await port.list()).length]).toEqual([undefined, 1]);
      await port.write(aBudget({ usdPerDay: 2 }));
      expect(await port.read('region')).toEqual(aBudget({ usdPerDay: 2 }));
    },
  },
];

export function describeBudgetsContract(name: string, adapter: Adapter<Budgets>): void {
  describeContract(`budgets: ${name}`, budgetsCases, adapter);
}
