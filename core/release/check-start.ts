import { Failure } from '../failure.ts';
import type { Signature } from '../models/signature.ts';
import type { ModelVersion } from '../models/version.ts';
import type { Platform } from '../ports/platform.ts';
import { isGate, type ReleasePlan, readReleasePlan } from './plan.ts';
import { isActive } from './release.ts';
import { servedBy } from './served.ts';

/** The two versions of a release that may start. */
export type Contenders = { readonly stable: ModelVersion; readonly candidate: ModelVersion };

type CheckPorts = Pick<Platform, 'registry' | 'releases'>;

/**
 * What answers now and the version that is to follow it. `model-unknown`, `version-unknown`; `state-conflict` where the model has no stable version,
 * where it is this one already, and where another release is active (`release`); `release-incompatible` where
 * callers of the stable version could not call the other.
 */
export async function readContenders(ports: CheckPorts, model: string, version: string): Promise<Contenders> {
  const { registry } = ports;
  const route = await registry.readRoute(model);
  if (route === undefined) throw new Failure('model-unknown', { field: 'model' });
  const candidate = await registry.readVersion(model, version);
  if (candidate === undefined) throw new Failure('version-unknown', { field: 'version', model });
  await expectNoRelease(ports, model);
  if (route.stable === undefined) {
    const detail = 'the model has no stable version that one could be released over: make this one stable';
    throw new Failure('state-conflict', { field: 'version', detail });
  }
  if (route.stable === version) {
    throw new Failure('state-conflict', { field: 'version', detail: `version ${version} is the stable one already` });
  }
  const stable = await registry.readVersion(model, route.stable);
  if (stable === undefined) throw new Error(`the stable version ${route.stable} of ${model} is not there`);
  expectSameCalls(stable, candidate);
  return { stable, candidate };
}

/** `state-conflict` with `release` while one of the model is active. */
export async function expectNoRelease({ releases }: Pick<Platform, 'releases'>, model: string): Promise<void> {
  const latest = await releases.readLatest(model);
  if (latest === undefined || !isActive(latest)) return;
  const detail = `release ${latest.id} of version ${latest.candidate} is active: abort it, or wait for its end`;
  throw new Failure('state-conflict', { release: latest.id, detail });
}

/**
 * `state-conflict` with `release` where a release decides who serves, so that a stable version set by hand would change nothing: one that is active, or
 * has just ended with the other of its versions.
 */
export async function expectSettable(
  ports: Pick<Platform, 'releases' | 'clock'>,
  model: string,
  version: string,
): Promise<void> {
  await expectNoRelease(ports, model);
  const latest = await ports.releases.readLatest(model);
  const serving = servedBy({ model, stable: version, epoch: 0 }, latest, ports.clock.nowMs())?.serving;
  if (latest === undefined || serving === undefined || serving === version) return;
  const detail = `release ${latest.id} has just ended with version ${serving}: undo it instead`;
  throw new Failure('state-conflict', { release: latest.id, detail });
}

/**
 * The plan that is given, else the one of the candidate's manifest, else the defaults. `release-plan-invalid` with every problem at once, tenants and
 * plans that are not there included.
 */
export async function planFor(
  { registry }: Pick<Platform, 'registry'>,
  given: unknown,
  { manifest }: ModelVersion,
): Promise<ReleasePlan> {
  const read = readReleasePlan(given ?? manifest.release ?? {});
  if (!('steps' in read)) throw new Failure('release-plan-invalid', { problems: read });
  const problems = await unknownNames(registry, read);
  if (problems.length > 0) throw new Failure('release-plan-invalid', { problems });
  return read;
}

async function unknownNames(registry: Platform['registry'], { steps }: ReleasePlan): Promise<string[]> {
  const problems: string[] = [];
  for (const [at, step] of steps.entries()) {
    if (isGate(step) || !('setWeight' in step) || typeof step.setWeight === 'number') continue;
    const place = `steps.${at}.setWeight`;
    if ('tenants' in step.setWeight) {
      for (const tenant of step.setWeight.tenants) {
        if ((await registry.readTenant(tenant)) === undefined)
          problems.push(`${place}.tenants: there is no tenant ${tenant}`);
      }
    } else {
      for (const plan of step.setWeight.plans) {
        if ((await registry.readPlan(plan)) === undefined) problems.push(`${place}.plans: there is no plan ${plan}`);
      }
    }
  }
  return problems;
}

/** Who calls one version calls the other without knowing: the same inputs, and no output fewer. */
function expectSameCalls(stable: ModelVersion, candidate: ModelVersion): void {
  const problems: string[] = [];
  const [before, after] = [stable.signature, candidate.signature];
  if (namesOf(before.inputs) !== namesOf(after.inputs))
    problems.push(`inputs: it takes ${namesOf(after.inputs)} instead of ${namesOf(before.inputs)}`);
  for (const { name, datatype } of before.outputs) {
    const same = after.outputs.find((output) => output.name === name);
    if (same === undefined) problems.push(`outputs: it does not give ${name}`);
    else if (same.datatype !== datatype)
      problems.push(`outputs: it gives ${name} as ${same.datatype} instead of ${datatype}`);
  }
  if (problems.length > 0) throw new Failure('release-incompatible', { field: 'version', problems });
}

function namesOf(tensors: Signature['inputs']): string {
  return tensors
    .map(({ name, datatype }) => `${name} ${datatype}`)
    .sort()
    .join(', ');
}
