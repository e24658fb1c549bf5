/**
 * Every failure that a caller can act on, once. A code is never renamed or reused: clients branch on it.
 * `retryable` says whether the same request may succeed later without being changed.
 * HTTP statuses are not here: `core/api/problem.ts` alone knows them. docs/failures.md lists the same codes.
 */
export const FAILURES = {
  // who is asking
  'credentials-missing': {
    title: 'No credentials',
    retryable: false,
    advice: 'Send `Authorization: Bearer <API key or token>`.',
  },
  'credentials-invalid': {
    title: 'Credentials not accepted',
    retryable: false,
    advice: 'Check the key or token; create a new key if it was revoked.',
  },
  'credentials-expired': {
    title: 'Token expired',
    retryable: false,
    advice: 'Get a new token from your issuer and repeat the request.',
  },
  'issuer-unknown': {
    title: 'Token issuer not trusted here',
    retryable: false,
    advice: 'Ask an operator to register the issuer for your tenant.',
  },
  'issuer-unavailable': {
    title: 'The keys of the token issuer cannot be fetched',
    retryable: true,
    advice: 'Retry after the time given; operators: check the JWKS address of the issuer.',
  },
  forbidden: {
    title: 'Not allowed',
    retryable: false,
    advice: 'Use credentials with the role named in `required_role`, or scoped to this resource.',
  },
  'wrong-region': {
    title: 'This tenant lives in another region',
    retryable: false,
    advice: 'Send the request to `home_url`.',
  },
  'region-unavailable': {
    title: "The tenant's home region is not answering",
    retryable: true,
    advice: 'Retry after the time given; data is never served from another region.',
  },
  // what is asked for
  'route-unknown': {
    title: 'No such endpoint',
    retryable: false,
    advice: 'See /openapi.json for the endpoints of this server.',
  },
  'method-unsupported': {
    title: 'Method not supported here',
    retryable: false,
    advice: 'Use one of the methods in the `Allow` header.',
  },
  'tenant-unknown': {
    title: 'No such tenant',
    retryable: false,
    advice: 'Check the tenant id; operators can list tenants.',
  },
  'model-unknown': {
    title: 'No such model',
    retryable: false,
    advice: 'Check the model name; your plan may not include it.',
  },
  'version-unknown': {
    title: 'No such version of this model',
    retryable: false,
    advice: 'Check the version, or leave it out to use the stable one.',
  },
  'version-not-ready': {
    title: 'This model has no version that serves',
    retryable: true,
    advice: 'Push a version and make it stable.',
  },
  'prediction-unknown': {
    title: 'No such prediction',
    retryable: false,
    advice: 'Check the id; results expire 24 hours after they are made.',
  },
  'key-unknown': { title: 'No such API key', retryable: false, advice: 'List the keys of the tenant.' },
  'plan-unknown': { title: 'No such plan', retryable: false, advice: 'List the plans.' },
  'pool-unknown': {
    title: 'No such worker pool in this region',
    retryable: false,
    advice: 'Use one of the pools in `known`; operators add pools where the region is configured.',
  },
  'webhook-unknown': {
    title: 'No such webhook',
    retryable: false,
    advice: 'List the webhooks, of the tenant or of the region.',
  },
  'delivery-unknown': {
    title: 'No such delivery of this webhook',
    retryable: false,
    advice: 'List the deliveries; they are kept for a day once delivered, 7 days otherwise.',
  },
  'webhook-limit-reached': {
    title: 'There are as many webhooks as there may be',
    retryable: false,
    advice: 'Remove or change one of them; the limit is in `limit`.',
  },
  'webhook-url-refused': {
    title: 'This address is never posted to',
    retryable: false,
    advice: 'Use an https address on the public internet.',
  },
  'validation-unknown': {
    title: 'No such validation',
    retryable: false,
    advice: 'Check the id; refused pushes are kept for 30 days.',
  },
  'dead-letter-unknown': {
    title: 'No such dead letter',
    retryable: false,
    advice: 'List the dead letters; one goes when it is redriven or discarded, and after 14 days.',
  },
  'dead-letter-empty': {
    title: 'Nothing is left of this dead letter that could be run',
    retryable: false,
    advice: 'Its job could not be read, for the reason in `reason`. Send the request again, and discard the letter.',
  },
  'release-unknown': {
    title: 'No such release',
    retryable: false,
    advice: 'List the releases of the model.',
  },
  'upload-unknown': {
    title: 'No such upload',
    retryable: false,
    advice: 'Create the upload first and send its bytes; uploads expire after an hour.',
  },
  // the request itself
  'body-too-large': {
    title: 'Body too large',
    retryable: false,
    advice: 'Split the request; the limit is in `limit_bytes`.',
  },
  'body-incomplete': { title: 'The body ended early', retryable: true, advice: 'Send as many bytes as declared.' },
  'headers-too-large': { title: 'Headers too large', retryable: false, advice: 'Send fewer or shorter headers.' },
  'json-invalid': { title: 'Body is not valid JSON', retryable: false, advice: 'Send one JSON object in UTF-8.' },
  'json-too-deep': {
    title: 'JSON nested too deeply',
    retryable: false,
    advice: 'Nest tensors at most 16 levels deep.',
  },
  'request-invalid': { title: 'Request not valid', retryable: false, advice: 'Correct the field named in `field`.' },
  'field-unknown': { title: 'Unknown field', retryable: false, advice: 'Remove the field named in `field`.' },
  'content-encoding-unsupported': {
    title: 'Content encoding not supported',
    retryable: false,
    advice: 'Send the body without Content-Encoding.',
  },
  'binary-length-invalid': {
    title: 'Binary tensor lengths do not add up',
    retryable: false,
    advice: 'Make Inference-Header-Content-Length and every binary_data_size match the body.',
  },
  'input-missing': {
    title: 'Input missing',
    retryable: false,
    advice: 'Send every input that the model metadata lists.',
  },
  'input-unknown': {
    title: 'The model has no such input',
    retryable: false,
    advice: 'Send only the inputs that the model metadata lists.',
  },
  'output-unknown': {
    title: 'The model has no such output',
    retryable: false,
    advice: 'Ask only for outputs that the model metadata lists.',
  },
  'datatype-mismatch': {
    title: 'Wrong datatype',
    retryable: false,
    advice: 'Send the datatype that the model metadata names.',
  },
  'datatype-unsupported': {
    title: 'Datatype not supported',
    retryable: false,
    advice: 'Use a datatype of the Open Inference Protocol that this runtime takes.',
  },
  'shape-mismatch': {
    title: 'Wrong shape',
    retryable: false,
    advice: 'Match the rank and the fixed dimensions of the model metadata.',
  },
  'element-count-mismatch': {
    title: 'Data does not fill the shape',
    retryable: false,
    advice: 'Send exactly as many elements as the shape says.',
  },
  'element-invalid': {
    title: 'An element has the wrong type or is out of range for its datatype',
    retryable: false,
    advice: 'Correct the element at `index`.',
  },
  'value-out-of-range': {
    title: 'A value is outside what the model accepts',
    retryable: false,
    advice: 'Keep values within `min` and `max`.',
  },
  'value-not-finite': {
    title: 'NaN or infinity where the model refuses it',
    retryable: false,
    advice: 'Send finite numbers.',
  },
  'text-invalid': {
    title: 'Text cannot be used',
    retryable: false,
    advice: 'Send UTF-8 without NUL characters, within `max_length` characters.',
  },
  'input-too-large': {
    title: 'Input larger than the model allows',
    retryable: false,
    advice: 'Send fewer rows or shorter sequences; the limit is in `limit`.',
  },
  'header-invalid': {
    title: 'A header is malformed',
    retryable: false,
    advice: 'Correct the header named in `field`.',
  },
  'deadline-too-short': {
    title: 'The deadline has passed',
    retryable: true,
    advice: 'Allow more time with `Prefer: wait` or `timeout_ms`.',
  },
  'idempotency-key-reused': {
    title: 'Idempotency-Key used before with another request',
    retryable: false,
    advice: 'Use a new key for a new request.',
  },
  'idempotency-in-flight': {
    title: 'A request with this Idempotency-Key is still being handled',
    retryable: true,
    advice: 'Retry after the time given with the same key.',
  },
  'state-conflict': {
    title: 'Changed by someone else meanwhile',
    retryable: true,
    advice: 'Read it again and repeat the change.',
  },
  'already-exists': {
    title: 'Already exists',
    retryable: false,
    advice: 'Choose another name or change the one that is there.',
  },
  // how much
  'quota-exceeded': {
    title: 'Quota exceeded',
    retryable: true,
    advice: 'Wait for Retry-After seconds, or move to a larger plan.',
  },
  'in-flight-exceeded': {
    title: 'Too many requests in flight',
    retryable: true,
    advice: 'Wait for answers before sending more.',
  },
  'compute-budget-exceeded': {
    title: 'Daily compute budget used up',
    retryable: true,
    advice: 'Wait for the next UTC day, or move to a larger plan.',
  },
  'version-unavailable': {
    title: 'This version keeps failing and is left alone for a while',
    retryable: true,
    advice: 'Retry after the time given; operators: see the failures of the version, or go back to the one before.',
  },
  'pool-unavailable': {
    title: 'The workers for this request are not running',
    retryable: true,
    advice:
      'Retry after the time given; operators: start the pool named in `pool`, or take it from the tenant or manifest.',
  },
  overloaded: { title: 'No capacity right now', retryable: true, advice: 'Retry after the time given.' },
  draining: {
    title: 'This server is shutting down',
    retryable: true,
    advice: 'Retry; another server or the restarted one will answer.',
  },
  // running it
  'prediction-cancelled': {
    title: 'The prediction was cancelled',
    retryable: false,
    advice: 'Send the request again if you still want it.',
  },
  'prediction-expired': {
    title: 'The deadline passed before the model ran',
    retryable: true,
    advice: 'Allow more time or retry when load is lower.',
  },
  'prediction-timeout': {
    title: 'The model took too long',
    retryable: false,
    advice: 'Send a smaller input; the limit is the model timeout.',
  },
  'prediction-failed': {
    title: 'The model could not process this input',
    retryable: false,
    advice: 'Check the input against the model documentation.',
  },
  'runner-crashed': {
    title: 'The model crashed on this input',
    retryable: false,
    advice: 'The input is quarantined; report it to the model owner.',
  },
  'input-quarantined': {
    title: 'This input crashed the model before',
    retryable: false,
    advice: 'Do not resend it; report it to the model owner.',
  },
  'model-load-failed': {
    title: 'The model could not be loaded',
    retryable: true,
    advice: 'Operators: see the worker log; push the version again if its artifact is damaged.',
  },
  'artifact-missing': {
    title: 'A model file is missing from the store',
    retryable: false,
    advice: 'Push the version again.',
  },
  'artifact-damaged': {
    title: 'A model file does not match its digest',
    retryable: false,
    advice: 'Push the version again.',
  },
  // feedback
  'feedback-not-kept': {
    title: 'No feedback is kept of this prediction',
    retryable: false,
    advice: 'Operators: set `feedback` in the manifest of the model; predictions made before are not kept.',
  },
  'feedback-conflict': {
    title: 'Another label was given for this prediction before',
    retryable: false,
    advice: 'The first one stays: correct it where it is collected, before it is sent.',
  },
  'feedback-too-late': {
    title: 'Feedback for this prediction is taken no more',
    retryable: false,
    advice: 'Send feedback within the days that the manifest of the model names.',
  },
  'label-unknown': {
    title: 'The model has no such label',
    retryable: false,
    advice: 'Send a label that the model answers; see `feedback.labels` in its manifest.',
  },
  // pushing models
  'manifest-invalid': {
    title: 'Manifest not valid',
    retryable: false,
    advice: 'Correct every problem listed in `problems`.',
  },
  'model-invalid': {
    title: 'The model file cannot be used',
    retryable: false,
    advice: 'Check that the file is a complete ONNX model; see `detail`.',
  },
  'golden-mismatch': {
    title: 'Golden outputs do not match',
    retryable: false,
    advice: 'Export the golden pairs again with this model, or widen `tolerance` in the manifest.',
  },
  'golden-invalid': {
    title: 'Golden file not valid',
    retryable: false,
    advice: 'One JSON object a line: {"inputs":[…],"outputs":[…]}.',
  },
  'reference-invalid': {
    title: 'Reference file not valid',
    retryable: false,
    advice: 'Correct every problem of reference.json listed in `problems`, or leave the file out.',
  },
  'reference-missing': {
    title: 'There is nothing to make this reference of',
    retryable: false,
    advice: 'Choose a window with traffic, or push the version with a reference.json.',
  },
  'model-external-data': {
    title: 'The model keeps weights outside its file',
    retryable: false,
    advice: 'Save it as one file (`save_as_external_data=False`), at most 2 GiB.',
  },
  'model-output-unsupported': {
    title: 'The model returns something that is no tensor',
    retryable: false,
    advice: 'Export it without the node that makes sequences or maps, such as ZipMap (`zipmap: False` in skl2onnx).',
  },
  'model-constant': {
    title: 'The model answers the same to everything',
    retryable: false,
    advice: 'Check the export; set `mayBeConstant` in the manifest if it is meant to.',
  },
  'model-crashes': {
    title: 'An input that the manifest allows ends the process',
    retryable: false,
    advice: 'Narrow `min`, `max` or `maxLength` of the input in the manifest, or mend the model; see `detail`.',
  },
  'tokenizer-invalid': {
    title: 'The tokenizer.json cannot be used',
    retryable: false,
    advice: 'Save it with the Hugging Face tokenizers library; see `detail`.',
  },
  'validation-timeout': {
    title: 'Validation took too long',
    retryable: false,
    advice: 'The model may loop; make it smaller or faster.',
  },
  'validation-failed': {
    title: 'Validation could not be completed',
    retryable: true,
    advice: 'Push it again; if that ends so too, operators: see the log of the validator.',
  },
  // releasing them
  'release-plan-invalid': {
    title: 'Release plan not valid',
    retryable: false,
    advice: 'Correct every problem listed in `problems`.',
  },
  'release-incompatible': {
    title: 'Callers of the stable version could not call this one',
    retryable: false,
    advice: 'Push it as another model, or make it stable without a release once its callers are ready.',
  },
  'release-verb-refused': {
    title: 'The release cannot do that now',
    retryable: false,
    advice: 'Read the release: `detail` says what it waits for.',
  },
  // the platform
  'data-erased': {
    title: "The tenant's data was erased",
    retryable: false,
    advice: 'What was stored before the erasure cannot be read again.',
  },
  'record-damaged': {
    title: 'A stored record cannot be read',
    retryable: false,
    advice: 'Operators: see the log for the record key; the rest is unaffected.',
  },
  'storage-unavailable': {
    title: 'Storage is not accepting writes',
    retryable: true,
    advice: 'Operators: check disk space and permissions. Retry later.',
  },
  'storage-misconfigured': {
    title: 'Storage does not know this deployment, or refuses it',
    retryable: true,
    advice: 'Operators: see the log for the permission, key or table that is missing. Retry later.',
  },
  internal: {
    title: 'Something broke on our side',
    retryable: true,
    advice: 'Retry; if it goes on, report the `request_id`.',
  },
} as const satisfies Record<string, { title: string; retryable: boolean; advice: string }>;

export type FailureCode = keyof typeof FAILURES;

/** What is known of one failure. Never payload, label text or a secret: names, sizes, limits and places only. */
export type FailureFacts = {
  readonly detail?: string;
  readonly field?: string;
  readonly retryAfterMs?: number;
  readonly [fact: string]: string | number | boolean | readonly string[] | undefined;
};

/** A failure that a caller can act on; anything else that is thrown is a broken invariant. */
export class Failure extends Error {
  readonly code: FailureCode;
  readonly facts: FailureFacts;

  constructor(code: FailureCode, facts: FailureFacts = {}, options?: { cause?: unknown }) {
    super(facts.detail ?? FAILURES[code].title, options);
    this.name = 'Failure';
    this.code = code;
    this.facts = facts;
  }
}

/** The failure inside `error`, or `internal` with the error as its cause. */
export function asFailure(error: unknown): Failure {
  return error instanceof Failure ? error : new Failure('internal', {}, { cause: error });
}
