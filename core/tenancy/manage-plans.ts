import { Failure } from '../failure.ts';
import type { Platform } from '../ports/platform.ts';
import { DEFAULT_PLANS, type Plan, type PlanLimits } from './plan.ts';

type PlanPorts = Pick<Platform, 'registry'>;

/** The plans of a new region; those that are there stay as they are, also of callers that come together. */
export async function ensurePlans(ports: PlanPorts): Promise<void> {
  for (const plan of DEFAULT_PLANS) {
    if ((await ports.registry.readPlan(plan.id)) !== undefined) continue;
    await ports.registry.writePlan(plan).catch((error: unknown) => {
      if (!(error instanceof Failure) || error.code !== 'already-exists') throw error;
    });
  }
}

/**
 * Creates a plan or replaces its limits, in force on every host within a second. `state-conflict` if `epoch` is given and
 * is not the stored one (0: there must be none), or if somebody else changed it meanwhile.
 */
export async function putPlan(
  ports: PlanPorts,
  id: string,
  limits: PlanLimits,
  epoch: number | undefined,
): Promise<Plan> {
  const stored = (await ports.registry.readPlan(id))?.epoch ?? 0;
  if (epoch !== undefined && epoch !== stored) throw new Failure('state-conflict', { epoch: stored });
  const plan: Plan = { id, limits, epoch: stored + 1 };
  await ports.registry.writePlan(plan);
  return plan;
}
