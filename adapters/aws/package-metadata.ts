import {
  DescribeModelPackageCommand,
  type DescribeModelPackageOutput,
  type SageMakerClient,
  UpdateModelPackageCommand,
} from '@aws-sdk/client-sagemaker';
import type { Failure } from '../../core/failure.ts';
import type { Log } from '../../core/ports/log.ts';
import { nameOf, toFailure } from './aws-failure.ts';
import type { Table } from './table.ts';

/** What a package in the SageMaker Model Registry is told of its push: metadata of its own, which people see beside it. */
export const STATE = 'sluice-state';

export type Outcome = {
  readonly state: 'validating' | 'version' | 'refused';
  readonly version?: string;
  readonly validation?: string;
  readonly reason?: string;
  readonly release?: string;
  /** `waiting`: another release of the model goes on. `none`: there is nothing to release it over, or nobody wants it. */
  readonly releaseState?: 'none' | 'waiting' | 'not-started' | 'active' | 'promoted' | 'rolled-back';
};

export type Packages = {
  readonly sagemaker: SageMakerClient;
  readonly control: Table;
  /** True if the version of an approved package is to be released over the stable one. */
  readonly startsReleases: boolean;
};

/** Of SageMaker: characters of a value, and those that it takes, letters of other scripts left out. */
const MOST_VALUE = 256;
const NOT_ALLOWED = /[^A-Za-z0-9_.:/=+\-@]+/g;

export async function describe({ sagemaker }: Packages, arn: string): Promise<DescribeModelPackageOutput> {
  try {
    return await sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: arn }));
  } catch (error) {
    throw toFailure(error);
  }
}

/** All of it each time, so that nothing of an earlier approval stays. */
export async function tell({ sagemaker }: Packages, arn: string, outcome: Outcome): Promise<void> {
  const { state, version = 'none', validation = 'none', reason = 'none' } = outcome;
  const { release = 'none', releaseState = 'none' } = outcome;
  const properties = {
    [STATE]: state,
    'sluice-version': version,
    'sluice-validation': validation,
    'sluice-reason': reason.replace(NOT_ALLOWED, ' ').slice(0, MOST_VALUE).trim() || 'none',
    'sluice-release': release,
    'sluice-release-state': releaseState,
  };
  const update = new UpdateModelPackageCommand({ ModelPackageArn: arn, CustomerMetadataProperties: properties });
  try {
    await sagemaker.send(update);
  } catch (error) {
    throw toFailure(error);
  }
}

/** A package that was deleted is told nothing more. */
export async function tellIfThere(
  { packages, log }: { readonly packages: Packages; readonly log: Log },
  arn: string,
  outcome: Outcome,
): Promise<void> {
  try {
    await tell(packages, arn, outcome);
  } catch (error) {
    if (!isGone(error)) throw error;
    log.error('a model package is not there to be told its outcome', error, { package: arn });
  }
}

/** SageMaker says so of a package that was deleted. */
export function isGone(error: unknown): boolean {
  const name = nameOf((error as Failure).cause);
  return name === 'ValidationException' || name === 'ResourceNotFound';
}

/** The code first: it is looked up in docs/failures.md. */
export function reasonOf({ code, message, facts }: Failure): string {
  const { problems } = facts;
  const detail = Array.isArray(problems) ? problems.join(' / ') : message;
  const field = facts.field === undefined ? '' : ` ${facts.field}`;
  return `${code}:${field} ${detail}`;
}
