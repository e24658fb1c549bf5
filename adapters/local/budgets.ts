import type { DatabaseSync } from 'node:sqlite';
import { type Budget, budgetSchema } from '../../core/cost/budget.ts';
import { Failure } from '../../core/failure.ts';
import type { Budgets } from '../../core/ports/budgets.ts';
import type { Log } from '../../core/ports/log.ts';
import type { Commits } from './group-commit.ts';
import { RecordTable } from './record-table.ts';

/** More than there may be. */
const ALL = 10_000;

/** A row a budget. */
export class LocalBudgets implements Budgets {
  readonly #commits: Commits;
  readonly #budgets: RecordTable<Budget>;

  constructor(parts: { readonly database: DatabaseSync; readonly commits: Commits; readonly log: Log }) {
    this.#commits = parts.commits;
    this.#budgets = new RecordTable('budget', budgetSchema, parts);
  }

  read(scope: string): Promise<Budget | undefined> {
    return this.#budgets.read(scope);
  }

  async list(): Promise<readonly Budget[]> {
    return (await this.#budgets.page(ALL)).items;
  }

  async write(budget: Budget): Promise<void> {
    const { scope, epoch } = budget;
    await this.#commits.write(() => {
      const stored = this.#budgets.epochNow(scope) ?? 0;
      if (stored !== epoch - 1)
        throw new Failure(epoch === 1 ? 'already-exists' : 'state-conflict', { detail: `budget ${scope}` });
      this.#budgets.putNow(scope, budget, epoch);
    });
  }

  async remove(scope: string): Promise<void> {
    await this.#commits.write(() => this.#budgets.removeNow(scope));
  }
}
