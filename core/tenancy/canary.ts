import { Failure } from '../failure.ts';
import type { Platform } from '../ports/platform.ts';
import { HOUR_MS } from '../units.ts';
import { hashSecret, newApiKey, parseApiKey } from './api-key.ts';
import type { Plan } from './plan.ts';
import type { Tenant } from './tenant.ts';

/** The tenant whose requests are synthetic checks: each region's own, in no directory, and in nobody's numbers. */
export const CANARY_TENANT = 'sluice-canary';

/** Some requests a minute, of any model: checks cost next to nothing, and a key of theirs that others have is good for no more. */
const CANARY_PLAN: Plan = {
  id: CANARY_TENANT,
  epoch: 1,
  limits: {
    requestsPerSecond: 1,
    requestBurst: 20,
    rowsPerMinute: 60,
    requestsInFlight: 5,
    waitingHandlers: 5,
    dailyComputeMs: HOUR_MS / 2,
    weight: 1,
    models: ['*'],
  },
};

type CanaryPorts = Pick<Platform, 'registry' | 'clock'>;

/**
 * The canary tenant with its plan and a key, which is returned. `keep` puts a text into its place, or returns the one that is there. What is there
 * stays as it is, so that again is harmless, also after a crash. A key that was revoked is not made good. Throws if what is kept is no key of the
 * canary of this region.
 */
export async function ensureCanary(
  { registry, clock }: CanaryPorts,
  region: string,
  keep: (make: () => string) => Promise<string>,
): Promise<string> {
  const createdAtMs = Math.floor(clock.nowMs());
  if ((await registry.readPlan(CANARY_PLAN.id)) === undefined) await unlessThere(registry.writePlan(CANARY_PLAN));
  if ((await registry.readTenant(CANARY_TENANT)) === undefined)
    await unlessThere(registry.writeTenant(tenantOf(region, createdAtMs)));
  const text = await keep(() => newApiKey(region, CANARY_TENANT).text);
  const key = parseApiKey(text);
  if (key === undefined || key.region !== region || key.tenant !== CANARY_TENANT)
    throw new Error('what is kept as the key of the canary is none of this region');
  if ((await registry.readKey(key.keyId)) !== undefined) return text;
  const record = {
    id: key.keyId,
    secretSha256: hashSecret(key.secret),
    tenant: CANARY_TENANT,
    role: 'tenant-user',
    models: undefined,
    label: 'synthetic checks',
    createdAtMs,
    expiresAtMs: undefined,
    revokedAtMs: undefined,
  } as const;
  await unlessThere(registry.addKey(record));
  return text;
}

function tenantOf(region: string, createdAtMs: number): Tenant {
  return {
    id: CANARY_TENANT,
    name: 'Synthetic checks',
    region,
    plan: CANARY_PLAN.id,
    overrides: {},
    wrongRegion: 'refuse',
    allowedOrigins: [],
    suspended: false,
    captureConsent: false,
    createdAtMs,
    epoch: 1,
  };
}

async function unlessThere(write: Promise<void>): Promise<void> {
  await write.catch((error: unknown) => {
    if (!(error instanceof Failure) || error.code !== 'already-exists') throw error;
  });
}
