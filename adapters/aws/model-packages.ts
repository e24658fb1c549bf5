import type { S3Client } from '@aws-sdk/client-s3';
import {
  DescribeModelPackageCommand,
  type SageMakerClient,
  UpdateModelPackageCommand,
} from '@aws-sdk/client-sagemaker';
import { z } from 'zod';
import { asFailure, FAILURES, Failure } from '../../core/failure.ts';
import { type Acceptance, acceptPush } from '../../core/models/push.ts';
import { refusalOf } from '../../core/models/validation-record.ts';
import type { Platform } from '../../core/ports/platform.ts';
import { nameOf, toFailure } from './aws-failure.ts';
import { modelPackageKey, OPEN_PACKAGES } from './keys.ts';
import { openPackageFiles } from './package-files.ts';
import type { Item, Table } from './table.ts';

/** What a package in the SageMaker Model Registry is told of its push: metadata of its own, which people see beside it. */
const STATE = 'sluice-state';
type Outcome = {
  readonly state: 'validating' | 'version' | 'refused';
  readonly version?: string;
  readonly validation?: string;
  readonly reason?: string;
};

/** Of SageMaker: characters of a value, and those that it takes, letters of other scripts left out. */
const MOST_VALUE = 256;
const NOT_ALLOWED = /[^A-Za-z0-9_.:/=+\-@]+/g;

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

export type ModelPackagePorts = Pick<
  Platform,
  'artifacts' | 'registry' | 'validations' | 'clock' | 'config' | 'log'
> & {
  readonly packages: {
    readonly sagemaker: SageMakerClient;
    /** For the buckets of those who train. */
    readonly s3: S3Client;
    readonly control: Table;
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
  const found = await describe(ports, arn);
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
    await tell(ports, arn, { state: 'refused', reason: reasonOf(reason) });
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

/** Tells the packages whose validations have ended what became of them, and forgets these. One that cannot be told keeps no other from it. */
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

async function settle(ports: ModelPackagePorts, { sk, validation }: Item, nowMs: number): Promise<boolean> {
  const arn = String(sk);
  const outcome = await outcomeOf(ports, String(validation), nowMs);
  if (outcome === undefined) return false;
  try {
    await tell(ports, arn, outcome);
  } catch (error) {
    // SageMaker says so of a package that was deleted: it is told nothing more.
    const name = nameOf((error as Failure).cause);
    if (name !== 'ValidationException' && name !== 'ResourceNotFound') throw error;
    ports.log.error('a model package is not there to be told its outcome', error, { package: arn });
  }
  // Unless it was approved again meanwhile, and waits for another validation.
  const isSame = { text: 'validation = :validation', values: { ':validation': validation } };
  await ports.packages.control.transact({ delete: modelPackageKey(arn), condition: isSame });
  return true;
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
  if (accepted.kind === 'known') {
    const { version } = accepted.version;
    await tell(ports, arn, { state: 'version', version });
    return { kind: 'version', version };
  }
  const { id, model } = accepted.record;
  // Before the link: what is written of the outcome comes after it.
  if (told !== 'validating') await tell(ports, arn, { state: 'validating', validation: id });
  await ports.packages.control.put({ ...modelPackageKey(arn), model, validation: id });
  return { kind: 'validating', validation: id };
}

async function describe({ packages }: ModelPackagePorts, arn: string) {
  try {
    return await packages.sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: arn }));
  } catch (error) {
    throw toFailure(error);
  }
}

/** All of it each time, so that nothing of an earlier approval stays. */
async function tell(
  { packages }: ModelPackagePorts,
  arn: string,
  { state, version = 'none', validation = 'none', reason = 'none' }: Outcome,
): Promise<void> {
  const properties = {
    [STATE]: state,
    'sluice-version': version,
    'sluice-validation': validation,
    'sluice-reason': reason.replace(NOT_ALLOWED, ' ').slice(0, MOST_VALUE).trim(),
  };
  const update = new UpdateModelPackageCommand({ ModelPackageArn: arn, CustomerMetadataProperties: properties });
  try {
    await packages.sagemaker.send(update);
  } catch (error) {
    throw toFailure(error);
  }
}

/** The code first: it is looked up in docs/failures.md. */
function reasonOf({ code, message, facts }: Failure): string {
  const { problems } = facts;
  const detail = Array.isArray(problems) ? problems.join(' / ') : message;
  const field = facts.field === undefined ? '' : ` ${facts.field}`;
  return `${code}:${field} ${detail}`;
}
