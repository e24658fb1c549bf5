/**
 * What AWS asks in us-east-1, in US dollars a million units, as its price pages had it in March 2026
 * (https://aws.amazon.com/dynamodb/pricing/on-demand, /sqs/pricing, /kms/pricing, /s3/pricing, /secrets-manager/pricing,
 * /systems-manager/pricing), without free tiers and discounts for volume. Not in it: API Gateway, Lambda, tasks, logs, traffic.
 */
export const PRICES_DATE = '2026-03';

export const USD_PER_MILLION = {
  /** A strong read of up to 4 KB. */
  dynamoRead: 0.125,
  /** A write of up to 1 KB, each index of its own. */
  dynamoWrite: 0.625,
  /** A call of up to 64 KB. */
  sqs: 0.4,
  /** Calls about messages of a standard queue with message groups: 0.10 more. */
  sqsFair: 0.5,
  kms: 3,
  s3Write: 5,
  s3Read: 0.4,
  secretsManager: 5,
  /** Standard parameters. */
  ssm: 0,
  /** Calls of its API. */
  ecs: 0,
} as const;

/** Of SQS: a larger call counts as several. */
export const SQS_CHUNK_BYTES = 64 * 1024;
