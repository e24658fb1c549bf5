import { asFailure, FAILURES } from '../../core/failure.ts';
import type { Platform } from '../../core/ports/platform.ts';
import { beginRelease } from '../../core/release/begin-release.ts';
import { isActive, type Release } from '../../core/release/release.ts';
import { modelPackageKey } from './keys.ts';
import { describe, isGone, type Outcome, type Packages, reasonOf, tellIfThere } from './package-metadata.ts';

/** Who starts the releases of approved packages. */
const PRINCIPAL = 'sagemaker';

/** What is known of a package that has become a version. */
export type PackageLink = {
  readonly model: string;
  /** `none` of a version that was there already. */
  readonly validation: string;
  readonly version: string;
  readonly release?: string | undefined;
};

type ReleasePorts = Pick<Platform, 'registry' | 'releases' | 'clock' | 'log'> & { readonly packages: Packages };

/**
 * Starts the release of a package's version, or looks how it goes, and tells the package. True once there is nothing more to be told. One release a package
 * and version, however often it is approved. While another release of the model goes on it waits.
 */
export async function settleRelease(ports: ReleasePorts, arn: string, link: PackageLink): Promise<boolean> {
  if (link.release !== undefined) return follow(ports, arn, link, await ports.releases.read(link.release));
  if (!(await isWanted(ports, arn, link))) return end(ports, arn, link, { releaseState: 'none' });
  const { model, version } = link;
  const key = `${arn} ${version}`;
  const why = `the package ${arn} was approved`;
  try {
    const request = { model, version, plan: undefined, why, by: PRINCIPAL, key, signal: undefined };
    const { release } = await beginRelease(ports, undefined, request);
    const begun = { ...link, release: release.id };
    // Before it is kept: after a crash in between the same release is found and told again.
    if (isActive(release)) await tellIfThere(ports, arn, { ...saidOf(begun), releaseState: 'active' });
    const { written } = await ports.packages.control.put({ ...modelPackageKey(arn), ...begun }, isSame(link));
    if (!written) return false;
    return await follow(ports, arn, begun, release);
  } catch (error) {
    const failure = asFailure(error);
    if (failure.code === 'state-conflict' && failure.facts.release !== undefined) return false;
    if (FAILURES[failure.code].retryable) throw error;
    ports.log.warn('a release was not started for a model package', { package: arn, code: failure.code });
    return end(ports, arn, link, { releaseState: 'not-started', reason: reasonOf(failure) });
  }
}

/** Not where nothing else is stable, and not of a package that is approved no more. */
async function isWanted({ registry, packages }: ReleasePorts, arn: string, link: PackageLink): Promise<boolean> {
  const stable = (await registry.readRoute(link.model))?.stable;
  if (stable === undefined || stable === link.version) return false;
  try {
    return (await describe(packages, arn)).ModelApprovalStatus === 'Approved';
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

async function follow(
  ports: ReleasePorts,
  arn: string,
  link: PackageLink,
  release: Release | undefined,
): Promise<boolean> {
  if (release === undefined) return end(ports, arn, link, { releaseState: 'none' });
  const { state } = release;
  if (state.kind === 'promoted') return end(ports, arn, link, { releaseState: 'promoted' });
  if (state.kind === 'rolled-back') return end(ports, arn, link, { releaseState: 'rolled-back', reason: state.why });
  return false;
}

async function end(
  ports: ReleasePorts,
  arn: string,
  link: PackageLink,
  outcome: Pick<Outcome, 'releaseState' | 'reason'>,
): Promise<boolean> {
  await tellIfThere(ports, arn, { ...saidOf(link), ...outcome });
  await ports.packages.control.transact({ delete: modelPackageKey(arn), condition: isSame(link) });
  return true;
}

function saidOf({ version, validation, release }: PackageLink): Outcome {
  return { state: 'version', version, validation, ...(release === undefined ? {} : { release }) };
}

/** Unless it was approved again meanwhile. */
function isSame({ validation, version }: PackageLink) {
  return {
    text: 'validation = :validation AND version = :version',
    values: { ':validation': validation, ':version': version },
  };
}
