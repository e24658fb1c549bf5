import { Readable } from 'node:stream';
import { asFailure } from '../../../core/failure.ts';
import type { Caller, InferAnswer } from '../../../core/inference/request.ts';
import { acceptPush, type Push, pushVersion, setStable } from '../../../core/models/push.ts';
import { eraseTenantData, removeTenant } from '../../../core/tenancy/erase-tenant.ts';
import { putIssuer } from '../../../core/tenancy/manage-issuers.ts';
import { createKey, revokeKey } from '../../../core/tenancy/manage-keys.ts';
import { putPlan } from '../../../core/tenancy/manage-plans.ts';
import { changeTenant, createTenant, readTenant } from '../../../core/tenancy/manage-tenants.ts';
import { DEFAULT_PLANS } from '../../../core/tenancy/plan.ts';
import type { Principal } from '../../../core/tenancy/principal.ts';
import { floats } from '../jobs.ts';
import type { Infer, Kind, Operation, Told } from './history.ts';
import { manifestOf, modelFile } from './known-model.ts';
import type { RegionUnderTest } from './region-under-test.ts';

const OPERATOR: Principal = {
  id: 'key:operator',
  tenant: undefined,
  role: 'admin',
  models: undefined,
  user: undefined,
};
/** Enough for a request that is answered at once, and too short for most others. */
const LATE_WAIT_MS = 2;
/** Longer than anything takes that somebody waits for, on a slow machine too. */
const SYNC_WAIT_MS = 5000;
const READ_WAIT_MS = 20;

/** Asks a region and gives back what a client would have been told. */
export async function perform(region: RegionUnderTest, op: Operation): Promise<Told> {
  try {
    return await ask(region, op);
  } catch (error) {
    const { code, facts, cause } = asFailure(error);
    const { predictionId, detail } = facts;
    return {
      is: 'refused',
      code,
      job: typeof predictionId === 'string' ? predictionId : undefined,
      detail: code === 'internal' ? String((cause as Error | undefined)?.stack) : `${detail ?? ''}`,
    };
  }
}

async function ask(region: RegionUnderTest, op: Operation): Promise<Told> {
  switch (op.kind) {
    case 'infer':
      return infer(region, op);
    case 'read':
      return toTold(await region.gateway.readPrediction(await callerOf(region, op.tenant), op.job, READ_WAIT_MS));
    case 'cancel':
      return { is: await region.gateway.cancelPrediction(await callerOf(region, op.tenant), op.job) };
    case 'take':
      return take(region, op);
    default:
      return control(region, op);
  }
}

async function callerOf({ gateway }: RegionUnderTest, tenant: string): Promise<Caller> {
  return gateway.identify({ id: `key:${tenant}`, tenant, role: 'tenant-user', models: undefined, user: undefined });
}

async function infer(region: RegionUnderTest, op: Infer): Promise<Told> {
  const rows = Array.from({ length: op.rows }, (_, row) => op.x + row);
  const answer = await region.gateway.infer({
    caller: await callerOf(region, op.tenant),
    model: op.model,
    version: op.version,
    request: {
      clientId: undefined,
      inputs: [floats('x', [op.rows, 1], rows)],
      outputs: undefined,
      binaryByDefault: false,
      timeoutMs: op.timeoutMs,
    },
    prefer: {
      respondAsync: op.style === 'async',
      waitMs: op.style === 'late' ? LATE_WAIT_MS : op.style === 'sync' ? SYNC_WAIT_MS : undefined,
    },
    caching: 'use',
    idempotencyKey: op.key,
    traceparent: undefined,
    signal: undefined,
  });
  return toTold(answer);
}

function toTold(answer: InferAnswer): Told {
  if (answer.kind === 'accepted') return { is: 'accepted', job: answer.id, version: answer.version };
  const { outputs, computeMs, endedAtMs } = answer.outcome;
  const values = Array.from(outputs[0]!.data as Float32Array);
  const { id: job, version, replayed } = answer;
  return { is: 'answered', job, version, values, computeMs, endedAtMs, replayed };
}

/** One request after the other until one is refused. */
async function take(region: RegionUnderTest, { tenant, units }: Operation<'take'>): Promise<Told> {
  const caller = await callerOf(region, tenant);
  let granted = 0;
  try {
    for (; granted < units; granted += 1) await region.gateway.takeRequest(caller);
  } catch (error) {
    if (asFailure(error).code !== 'quota-exceeded') throw error;
  }
  return { is: 'granted', units: granted };
}

async function control(
  { platform }: RegionUnderTest,
  op: Operation<Exclude<Kind, 'infer' | 'read' | 'cancel' | 'take'>>,
): Promise<Told> {
  switch (op.kind) {
    case 'create-tenant': {
      const { tenant: id, plan, limits: overrides } = op;
      const spec = {
        id,
        name: id,
        region: undefined,
        plan,
        overrides,
        wrongRegion: 'refuse',
        allowedOrigins: [],
      } as const;
      const { epoch, name } = await createTenant(platform, spec);
      return done({ epoch, name });
    }
    case 'change-tenant': {
      const { epoch, name } = await changeTenant(platform, op.tenant, { name: op.name });
      return done({ epoch, name });
    }
    case 'read-tenant': {
      const { epoch, name } = await readTenant(platform, op.tenant);
      return done({ epoch, name });
    }
    case 'erase-tenant':
      await eraseTenantData(platform, op.tenant);
      return done({});
    case 'remove-tenant':
      // Nobody else calls for this tenant, so nobody has to be waited for.
      await removeTenant({ ...platform, clock: impatient(platform.clock) }, op.tenant);
      return done({});
    case 'create-key': {
      const spec = {
        tenant: op.tenant,
        role: 'tenant-user',
        models: undefined,
        label: 'k',
        expiresAtMs: undefined,
      } as const;
      const { record, text } = await createKey(platform, OPERATOR, spec);
      return done({ keyId: record.id, text });
    }
    case 'revoke-key':
      await revokeKey(platform, op.tenant, op.keyId);
      return done({});
    case 'push':
      return op.uploaded ? pushUploaded(platform, op) : push(platform, op, Readable.from([modelFile(op.term)]));
    case 'push-later': {
      const accepted = await acceptPush(platform, pushOf(op, Readable.from([modelFile(op.term)])));
      const { digest } = accepted.kind === 'known' ? accepted.version : accepted.record;
      return done({ digest, validation: accepted.kind === 'known' ? undefined : accepted.record.id });
    }
    case 'set-stable': {
      const { epoch, stable } = await setStable(platform, op.model, op.version);
      return done({ epoch, stable });
    }
    case 'read-route': {
      const route = await platform.registry.readRoute(op.model);
      return done({ epoch: route?.epoch ?? 0, stable: route?.stable });
    }
    case 'put-plan': {
      const { limits } = DEFAULT_PLANS[2]!;
      const { epoch } = await putPlan(platform, op.plan, { ...limits, weight: op.weight }, undefined);
      return done({ epoch, weight: op.weight });
    }
    case 'put-issuer': {
      const issuer = issuerUrl(op.issuer);
      const rights = { tenants: ['acme'], maxRole: 'tenant-user' } as const;
      await putIssuer(platform, { issuer, audience: op.audience, jwksUri: `${issuer}/jwks`, ...rights });
      return done({});
    }
    case 'remove-issuer':
      await platform.registry.removeIssuer(issuerUrl(op.issuer));
      return done({});
  }
}

export function issuerUrl(issuer: string): string {
  return `https://${issuer}.test`;
}

type Platform = RegionUnderTest['platform'];

function impatient(clock: Platform['clock']): Platform['clock'] {
  return { nowMs: () => clock.nowMs(), sleep: () => clock.sleep(0) };
}

async function push(platform: Platform, op: Operation<'push'>, modelBytes: AsyncIterable<Uint8Array>): Promise<Told> {
  const { version, added } = await pushVersion(platform, pushOf(op, modelBytes));
  return done({ version: version.version, digest: version.digest, added });
}

function pushOf({ model }: Operation<'push' | 'push-later'>, modelBytes: AsyncIterable<Uint8Array>): Push {
  return { manifest: manifestOf(model), modelBytes, pushedBy: OPERATOR.id };
}

/** As lambdas/http/versions.ts does it. */
async function pushUploaded(platform: Platform, op: Operation<'push'>): Promise<Told> {
  const { uploads } = platform;
  const { id, url } = await uploads.create(OPERATOR.id, 1000);
  const token = new URL(url, 'http://host').searchParams.get('token') ?? '';
  await uploads.receive(id, token, Readable.from([modelFile(op.term)]));
  const told = await push(platform, op, await uploads.open(OPERATOR.id, id));
  await uploads.discard(OPERATOR.id, id);
  return told;
}

function done(facts: Extract<Told, { is: 'done' }>['facts']): Told {
  return { is: 'done', facts };
}
