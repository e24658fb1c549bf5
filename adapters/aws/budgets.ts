import { type Budget, budgetSchema } from '../../core/cost/budget.ts';
import type { Budgets } from '../../core/ports/budgets.ts';
import type { Log } from '../../core/ports/log.ts';
import { RecordItems } from './record-items.ts';
import type { Table } from './table.ts';

/** An item a budget in the control table, written on the condition that nobody else has since it was read. */
export class AwsBudgets implements Budgets {
  readonly #budgets: RecordItems<Budget>;

  constructor(table: Table, log: Log) {
    this.#budgets = new RecordItems('budget', budgetSchema, { table, log });
  }

  read(scope: string): Promise<Budget | undefined> {
    return this.#budgets.read(scope);
  }

  list(): Promise<readonly Budget[]> {
    return this.#budgets.all();
  }

  write(budget: Budget): Promise<void> {
    return this.#budgets.putNext(budget.scope, budget);
  }

  remove(scope: string): Promise<void> {
    return this.#budgets.remove(scope);
  }
}
