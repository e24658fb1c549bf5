import type { S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { asFailure, FAILURES, Failure } from '../../core/failure.ts';
import { type Acceptance, acceptPush } from '../../core/models/push.ts';
import { refusalOf } from '../../core/models/validation-record.ts';
import type { Platform } from '../../core/ports/platform.ts';
import { modelPackageKey, OPEN_PACKAGES } from './keys.ts';
import { openPackageFiles } from './package-files.ts';
import { describe, type Outcome, type Packages, reasonOf, STATE, tell, tellIfThere } from './package-metadata.ts';
import { type PackageLink, settleRelease } from './package-releases.ts';
import type { Item } from './table.ts';

/** The event `SageMaker Model Package State Change` of EventBridge, as far as it is needed. */
const eventSchema = z.object({
  detail: z.object({
    ModelPackageArn: z.string().min(1),
    ModelPackageGroupName: z.string().optional(),
    ModelApprovalStatus: z.string().optional(),
    /** What was changed: metadata too, and so what is written here. */
    UpdatedModelPackageFields: z.array(z.string()).optional(),
  }),
});

/** What is kept of a package until it is told all: without a version it is validated, with one its release is started or goes on. */
const linkSchema = z.object({
  model: z.string(),
  validation: z.string(),
  version: z.string().optional(),
  release: z.string().optional(),
});

export type ModelPackagePorts = Pick<
  Platform,
  'artifacts' | 'registry' | 'releases' | 'validations' | 'clock' | 'config' | 'log'
> & {
  readonly packages: Packages & {
    /** For the buckets of those who train. */
    readonly s3: S3Client;
    /** Groups whose packages are pushed; the approvals of all others are none of Sluice's business. */
    readonly groups: readonly string[];
  };
};

/** What became of an event. */
export type PackageEvent =
  | { readonly kind: 'ignored' }
  | { readonly kind: 'validating'; readonly validation: string }
  | { readonly kind: 'version'; readonly version: string }
  | { readonly kind: 'refused'; readonly reason: Failure };

/**
 * Pushes the model of a package that was approved: the manifest in its model data names the model. What cannot be a push is
 * told the package at once, what becomes of the validation `settleModelPackages` tells it. An event may come any number of
 * times; what is written to a package makes another one, which is ignored. Throws what may go well later: the event is to be
 * sent again.
 */
export async function onModelPackageEvent(ports: ModelPackagePorts, event: unknown): Promise<PackageEvent> {
  const { detail } = eventSchema.parse(event);
  const arn = detail.ModelPackageArn;
  const changed = detail.UpdatedModelPackageFields;
  const isApproval = detail.ModelApprovalStatus === 'Approved' && changed?.includes('ModelApprovalStatus') !== false;
  if (!isApproval || !ports.packages.groups.includes(detail.ModelPackageGroupName ?? '')) return { kind: 'ignored' };
  const found = await describe(ports.packages, arn);
  // Somebody may have thought better of it since, and the group is what the registry says it is.
  if (found.ModelApprovalStatus !== 'Approved' || found.ModelPackageGroupName !== detail.ModelPackageGroupName) {
    return { kind: 'ignored' };
  }
  const told = found.CustomerMetadataProperties?.[STATE];
  // An event that does not say what was changed may be about what was written here.
  if (changed === undefined && (told === 'version' || told === 'refused')) return { kind: 'ignored' };
  try {
    const containers = found.InferenceSpecification?.Containers ?? [];
    if (containers.length !== 1) {
      throw new Failure('model-invalid', { detail: `the package has ${containers.length} containers, not one` });
    }
    const files = await openPackageFiles(ports.packages.s3, containers[0]!).catch(unreadable);
    const accepted = await acceptPush(ports, { ...files, pushedBy: `sagemaker:${arn}` });
    return await remember(ports, arn, accepted, told);
  } catch (error) {
    const reason = asFailure(error);
    if (FAILURES[reason.code].retryable) throw error;
    ports.log.warn('a model package was refused', { package: arn, code: reason.code });
    await tell(ports.packages, arn, { state: 'refused', reason: reasonOf(reason) });
    return { kind: 'refused', reason };
  }
}

/** That the model data may not be read is the package's business, not that of who keeps the platform's own storage. */
function unreadable(error: unknown): never {
  const failure = asFailure(error);
  if (failure.code !== 'storage-misconfigured') throw failure;
  const detail = 'the model data: may not be read from here, or its bucket does not exist';
  throw new Failure('model-invalid', { detail }, { cause: failure.cause });
}

/**
 * Tells the packages whose validations have ended what became of them, starts the releases of their versions where it is to, tells of their ends, and forgets
 * what is told. One that cannot be told keeps no other from it.
 */
export async function settleModelPackages(ports: ModelPackagePorts, nowMs: number): Promise<number> {
  let settled = 0;
  for await (const link of ports.packages.control.query(OPEN_PACKAGES)) {
    try {
      if (await settle(ports, link, nowMs)) settled += 1;
    } catch (error) {
      ports.log.error('a model package was not told of its outcome', error, { package: String(link.sk) });
    }
  }
  return settled;
}

async function settle(ports: ModelPackagePorts, item: Item, nowMs: number): Promise<boolean> {
  const arn = String(item.sk);
  const { control, startsReleases } = ports.packages;
  const link = linkSchema.parse(item);
  const { validation, model } = link;
  if (link.version !== undefined) return settleRelease(ports, arn, { ...link, version: link.version });
  const outcome = await outcomeOf(ports, validation, nowMs);
  if (outcome === undefined) return false;
  // Unless it was approved again meanwhile, and waits for another validation.
  const isSame = { text: 'validation = :validation', values: { ':validation': validation } };
  if (outcome.version === undefined || !startsReleases) {
    await tellIfThere(ports, arn, outcome);
    await control.transact({ delete: modelPackageKey(arn), condition: isSame });
    return true;
  }
  const next: PackageLink = { model, validation, version: outcome.version };
  await tellIfThere(ports, arn, { ...outcome, releaseState: 'waiting' });
  const { written } = await control.put({ ...modelPackageKey(arn), ...next }, isSame);
  return written && settleRelease(ports, arn, next);
}

/** undefined: it has none yet. */
async function outcomeOf(ports: ModelPackagePorts, validation: string, nowMs: number): Promise<Outcome | undefined> {
  const record = await ports.validations.read(validation).catch((error: unknown) => asFailure(error));
  if (record instanceof Failure && record.code !== 'record-damaged') throw record;
  if (record instanceof Failure || record === undefined || record.expiresAtMs <= nowMs) {
    const reason = record instanceof Failure ? record : new Failure('validation-unknown');
    return { state: 'refused', validation, reason: reasonOf(reason) };
  }
  if (record.state.kind === 'accepted') return { state: 'version', version: record.state.version, validation };
  const refusal = refusalOf(record);
  return refusal && { state: 'refused', validation, reason: reasonOf(refusal) };
}

async function remember(
  ports: ModelPackagePorts,
  arn: string,
  accepted: Acceptance,
  told: string | undefined,
): Promise<PackageEvent> {
  const { control, startsReleases } = ports.packages;
  if (accepted.kind === 'known') {
    const { model, version } = accepted.version;
    await tell(ports.packages, arn, { state: 'version', version, releaseState: startsReleases ? 'waiting' : 'none' });
    if (startsReleases) await control.put({ ...modelPackageKey(arn), model, validation: 'none', version });
    return { kind: 'version', version };
  }
  const { id, model } = accepted.record;
  // Before the link: what is written of the outcome comes after it.
  if (told !== 'validating') await tell(ports.packages, arn, { state: 'validating', validation: id });
  await control.put({ ...modelPackageKey(arn), model, validation: id });
  return { kind: 'validating', validation: id };
}
