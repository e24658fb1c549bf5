import { z } from 'zod';
import type { FailureCode } from '../failure.ts';
import { DEAD_LETTER_ID } from '../inference/dead-letter.ts';
import { MODEL_NAME } from '../models/manifest.ts';
import { VALIDATION_ID } from '../models/validation-record.ts';
import { RELEASE_ID } from '../release/release-id.ts';
import { TENANT_ID } from '../tenancy/tenant.ts';
import { DELIVERY_ID, WEBHOOK_ID } from '../webhooks/webhook.ts';

/**
 * What stands in the path, by name. A value that does not match cannot name anything, so `unknown` answers it; what
 * matches is safe in a file name and a log line.
 */
export const PARAMS = {
  model: param(MODEL_NAME, 'model-unknown', 'Name of a model.'),
  version: param(/^[1-9][0-9]{0,8}$/, 'version-unknown', 'Number of a version.'),
  prediction: param(/^pred_[0-9a-f]{32}$/, 'prediction-unknown', 'Id of a prediction, from Location or the 202 body.'),
  tenant: param(TENANT_ID, 'tenant-unknown', 'Id of a tenant.'),
  plan: param(/^[a-z][a-z0-9-]{1,30}$/, 'plan-unknown', 'Id of a plan.'),
  key: param(/^[a-z0-9.-]{8,72}$/, 'key-unknown', 'Id of an API key, as the list of keys shows it.'),
  validation: param(
    VALIDATION_ID,
    'validation-unknown',
    'Id of a validation, from Location or the 202 body of a push.',
  ),
  release: param(RELEASE_ID, 'release-unknown', 'Id of a release, from Location or the 202 body of its start.'),
  upload: param(/^[A-Za-z0-9_-]{1,128}$/, 'upload-unknown', 'Id of an upload.'),
  webhook: param(WEBHOOK_ID, 'webhook-unknown', 'Id of a webhook.'),
  letter: param(DEAD_LETTER_ID, 'dead-letter-unknown', 'Id of a dead letter.'),
  delivery: param(DELIVERY_ID, 'delivery-unknown', 'Id of a delivery: the webhook-id of its message.'),
} as const;

export type ParamName = keyof typeof PARAMS;

function param<Unknown extends FailureCode>(pattern: RegExp, unknown: Unknown, description: string) {
  return { pattern, unknown, schema: z.string().regex(pattern).describe(description) };
}
