import type { Budgets } from '../../core/ports/budgets.ts';
import { type Fault, override } from './fault.ts';

export const BROKEN_BUDGETS: readonly Fault<Budgets>[] = [
  {
    fault: 'lists budgets as they come',
    caughtBy: 'keeps budgets whole, after a crash too, and lists them in order of scope',
    breaks: (budgets) => override(budgets, { list: async () => (await budgets.list()).toReversed() }),
  },
  {
    fault: 'lets whoever comes late overwrite',
    caughtBy: 'is changed only over the epoch that was read: of several at once one wins',
    breaks: (budgets) =>
      override(budgets, {
        async write(budget) {
          const stored = await budgets.read(budget.scope);
          await budgets.write({ ...budget, epoch: (stored?.epoch ?? 0) + 1 });
        },
      }),
  },
  {
    fault: 'removes a budget by half',
    caughtBy: 'is gone once removed, and may be made again; removing what is not there changes nothing',
    breaks(budgets) {
      const removed = new Set<string>();
      return override(budgets, {
        async remove(scope) {
          removed.add(scope);
        },
        read: async (scope) => (removed.has(scope) ? undefined : budgets.read(scope)),
      });
    },
  },
];
