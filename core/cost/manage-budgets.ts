import { Failure } from '../failure.ts';
import type { Platform } from '../ports/platform.ts';
import { readTenant } from '../tenancy/manage-tenants.ts';
import { type Budget, readScope } from './budget.ts';

/** With each one a minute's look grows by a read. */
const MOST_BUDGETS = 500;

/**
 * Sets a budget or replaces it. `tenant-unknown`, `model-unknown` of what is not there; `state-conflict` if `epoch` is given and is not
 * the stored one (0: there must be none), or if somebody else changed it meanwhile.
 */
export async function putBudget(
  ports: Pick<Platform, 'budgets' | 'registry'>,
  wanted: Omit<Budget, 'epoch'>,
  epoch: number | undefined,
): Promise<Budget> {
  const scope = readScope(wanted.scope)!;
  if (scope.kind === 'tenant') await readTenant(ports, scope.id);
  if (scope.kind === 'model' && (await ports.registry.readRoute(scope.id)) === undefined)
    throw new Failure('model-unknown', { model: scope.id });
  const stored = (await ports.budgets.read(wanted.scope))?.epoch ?? 0;
  if (epoch !== undefined && epoch !== stored) throw new Failure('state-conflict', { epoch: stored });
  if (stored === 0 && (await ports.budgets.list()).length >= MOST_BUDGETS)
    throw new Failure('request-invalid', { field: 'scope', detail: `there are ${MOST_BUDGETS} budgets: remove one` });
  const budget: Budget = { ...wanted, epoch: stored + 1 };
  await ports.budgets.write(budget);
  return budget;
}
