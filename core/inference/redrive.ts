import { createHash } from 'node:crypto';
import { Failure } from '../failure.ts';
import type { DeadLetter } from '../ports/dead-letters.ts';
import type { Platform } from '../ports/platform.ts';
import { readTenant } from '../tenancy/manage-tenants.ts';
import { MINUTE_MS } from '../units.ts';
import { reserveFor } from './admit.ts';
import type { Job } from './job.ts';
import { RESULT_KEPT_MS } from './wait.ts';

/** Nobody waits for it: as of any prediction that is answered later. */
const REDRIVE_DEADLINE_MS = 15 * MINUTE_MS;

type RedrivePorts = Pick<
  Platform,
  'config' | 'deadLetters' | 'jobs' | 'queue' | 'limits' | 'registry' | 'webhooks' | 'clock'
>;

/** What a letter was run again as. */
export type Redriven = { readonly letter: DeadLetter; readonly prediction: string };

/**
 * Runs a dead letter's job again, as another prediction: what became of the first one was told, and never changes. Its id follows from the letter's, so that a redrive which is
 * repeated, after a crash at any step or by two people at once, is one prediction. It is paid for in compute as any other, and is refused as one where the tenant has
 * no place in flight or no compute left; its request and rows were paid for. Nothing of a release is decided anew or counted: it
 * runs on the version that it was admitted for, or, where its caller named none and it is of another, on the one that is stable now and reads
 * the same tokens. The letter goes once the job is in the queue. `dead-letter-unknown`; `dead-letter-empty` where no job is left of it.
 */
export async function redrive(ports: RedrivePorts, tenant: string, id: string): Promise<Redriven> {
  const nowMs = ports.clock.nowMs();
  const letter = await ports.deadLetters.read(tenant, id, nowMs);
  if (letter === undefined) throw new Failure('dead-letter-unknown', { field: 'letter' });
  const dead = await ports.deadLetters.readJob(tenant, id, nowMs);
  if (dead === undefined) throw new Failure('dead-letter-empty', { reason: letter.reason });
  const prediction = redrivenId(dead);
  // One that is there was written by a redrive that was cut off: if it was not sent, the sweeper sends it.
  if ((await ports.jobs.read(tenant, prediction, nowMs)) === undefined) await submitAgain(ports, dead, nowMs);
  await ports.deadLetters.remove(tenant, id);
  return { letter, prediction };
}

async function submitAgain(ports: RedrivePorts, dead: Job, nowMs: number): Promise<void> {
  const job = await again(ports, dead, nowMs);
  const reserved = reserveFor(ports, job, await limitsOf(ports, job.tenant), nowMs);
  if (reserved !== undefined) await reserved;
  if ((await ports.jobs.create(job, job.deadlineMs + RESULT_KEPT_MS)) === 'exists') return;
  await ports.queue.send(job);
  await ports.jobs.markQueued(job.tenant, job.id);
}

async function limitsOf(ports: Pick<Platform, 'registry'>, id: string) {
  const { plan: planId, overrides } = await readTenant(ports, id);
  const plan = await ports.registry.readPlan(planId);
  if (plan === undefined) throw new Failure('plan-unknown', { plan: planId });
  const { requestsInFlight, dailyComputeMs } = plan.limits;
  return {
    requestsInFlight: overrides.requestsInFlight ?? requestsInFlight,
    dailyComputeMs: overrides.dailyComputeMs ?? dailyComputeMs,
  };
}

/** Forgets a dead letter and its job; `dead-letter-unknown`. */
export async function discard(
  { deadLetters }: Pick<Platform, 'deadLetters'>,
  tenant: string,
  id: string,
): Promise<void> {
  if (!(await deadLetters.remove(tenant, id))) throw new Failure('dead-letter-unknown', { field: 'letter' });
}

async function again(ports: RedrivePorts, dead: Job, nowMs: number): Promise<Job> {
  const { lot: _, onCandidate: __, shadowOn: ___, ...job } = dead;
  return {
    ...job,
    id: redrivenId(dead),
    version: await versionFor(ports.registry, dead),
    pool: ports.config.pools.includes(dead.pool) ? dead.pool : 'default',
    lane: 'bulk',
    acceptedAtMs: nowMs,
    deadlineMs: nowMs + REDRIVE_DEADLINE_MS,
    durable: true,
    notify: !(await ports.webhooks.isEmpty(dead.tenant)),
    captureUntilMs: undefined,
    traceparent: undefined,
  };
}

/** As unguessable as the id that it follows from. */
function redrivenId({ tenant, id }: Pick<Job, 'tenant' | 'id'>): string {
  return `pred_${createHash('sha256').update(`redriven\n${tenant}\n${id}`).digest('hex').slice(0, 32)}`;
}

/** Stable now, where its caller asked for no version and its inputs mean the same to it. */
async function versionFor(registry: RedrivePorts['registry'], { model, version, versionNamed }: Job): Promise<string> {
  const stable = versionNamed ? undefined : (await registry.readRoute(model))?.stable;
  if (stable === undefined || stable === version) return version;
  const [then, now] = await Promise.all([registry.readVersion(model, version), registry.readVersion(model, stable)]);
  const isSame =
    then !== undefined &&
    now !== undefined &&
    then.tokenizerDigest === now.tokenizerDigest &&
    JSON.stringify(then.signature) === JSON.stringify(now.signature);
  return isSame ? stable : version;
}
