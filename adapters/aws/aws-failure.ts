import { Failure, type FailureCode } from '../../core/failure.ts';
import { SECOND_MS } from '../../core/units.ts';

/** What services call their errors, by what a caller is told; what is not here is an outage. */
const NAMES: Partial<Record<FailureCode, readonly string[]>> = {
  /** Not now, too much. */
  overloaded: [
    'BandwidthLimitExceeded',
    'LimitExceededException',
    'OverLimit',
    'PriorRequestNotComplete',
    'ProvisionedThroughputExceeded',
    'ProvisionedThroughputExceededException',
    'ReplicatedWriteConflictException',
    'RequestLimitExceeded',
    'RequestThrottled',
    'RequestThrottledException',
    'KmsThrottled',
    'SlowDown',
    'ThrottledException',
    'Throttling',
    'ThrottlingError',
    'ThrottlingException',
    'TooManyRequestsException',
    'TransactionInProgressException',
  ],
  /** Somebody else changed it meanwhile. */
  'state-conflict': [
    'ConditionalRequestConflict',
    'OperationAborted',
    'PreconditionFailed',
    'TransactionConflict',
    'TransactionConflictException',
  ],
  /** What only an operator can mend: a permission, credentials, a key, something that was never made or is gone. */
  'storage-misconfigured': [
    'AccessDenied',
    'AccessDeniedException',
    'CredentialsProviderError',
    'DisabledException',
    'ExpiredToken',
    'ExpiredTokenException',
    'Forbidden',
    'IncompleteSignature',
    'IncompleteSignatureException',
    'IncorrectKeyException',
    'InvalidAccessKeyId',
    'InvalidClientTokenId',
    'InvalidKeyUsageException',
    'InvalidSignatureException',
    'KMSInvalidStateException',
    'KmsAccessDenied',
    'KmsDisabled',
    'KmsInvalidState',
    'KmsNotFound',
    'MissingAuthenticationToken',
    'MissingAuthenticationTokenException',
    'NoSuchBucket',
    'NotFoundException',
    'OptInRequired',
    'QueueDoesNotExist',
    'RequestExpired',
    'RequestTimeTooSkewed',
    'ResourceNotFound',
    'ResourceNotFoundException',
    'SignatureDoesNotMatch',
    'TokenProviderError',
    'UnrecognizedClientException',
  ],
  /** A wrapped key that KMS did not make, or made for another tenant. */
  'record-damaged': ['InvalidCiphertextException'],
  /** What we asked for cannot be asked: a mistake of this program. */
  internal: [
    'BatchEntryIdsNotDistinct',
    'BatchRequestTooLong',
    'EmptyBatchRequest',
    'EntityTooLarge',
    'InvalidArgument',
    'InvalidMessageContents',
    'InvalidParameterCombination',
    'InvalidParameterValue',
    'InvalidRequest',
    'ItemCollectionSizeLimitExceeded',
    'ItemCollectionSizeLimitExceededException',
    'MalformedXML',
    'MissingParameter',
    'SerializationException',
    'TooManyEntriesInBatchRequest',
    'ValidationError',
    'ValidationException',
  ],
};

const CODES: ReadonlyMap<string, FailureCode> = new Map(
  Object.entries(NAMES).flatMap(([code, names]) => names.map((name) => [name, code as FailureCode] as const)),
);

/** Of an answer without a name that is known, such as one to HEAD, which has no body. */
const STATUSES: ReadonlyMap<number, FailureCode> = new Map([
  [401, 'storage-misconfigured'],
  [403, 'storage-misconfigured'],
  [409, 'state-conflict'],
  [412, 'state-conflict'],
  [429, 'overloaded'],
]);

/**
 * What a caller is told of a service that did not do what it was asked: too much is overload; what an operator has to mend is
 * told apart from an outage, which is all that is not known. Its words stay in the cause: they may name what was sent.
 */
export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const code = CODES.get(nameOf(error)) ?? STATUSES.get(statusOf(error)) ?? 'storage-unavailable';
  return new Failure(code, WAITED_FOR.has(code) ? { retryAfterMs: SECOND_MS } : {}, { cause: error });
}

/** Answers 503, which say when. */
const WAITED_FOR: ReadonlySet<FailureCode> = new Set(['overloaded', 'storage-unavailable', 'storage-misconfigured']);

/** The service's name for an error; '' for what is none. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

/** What a service names within an answer, as if it had thrown it. */
export function namedError(name: string | undefined, message = name): Error {
  return Object.assign(new Error(message), { name: name ?? 'UnknownError' });
}

function statusOf(error: unknown): number {
  const { $metadata } = (error ?? {}) as { readonly $metadata?: { readonly httpStatusCode?: number } };
  return $metadata?.httpStatusCode ?? 0;
}
