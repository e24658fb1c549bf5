/* Made from the OpenAPI document by `npm run client:generate`; not to be changed by hand. */

export type ReplayOutput =
  | {
      kind: 'numbers';
      name: string;
      incomparable: number;
      largest_difference: number;
      p99_difference: number;
    }
  | {
      kind: 'labels';
      name: string;
      incomparable: number;
      labels: number;
      changed: number;
      changes: {
        from: string;
        to: string;
        count: number;
      }[];
    };

/**
 * What each operation takes and answers, by its id.
 */
export interface Operations {
  'server-metadata': {
    answer: ServerMetadata;
  };
  'server-live': {
    answer: ServerLive;
  };
  'server-ready': {
    answer: ServerReady;
  };
  'model-list': {
    query?: {
      limit?: number;
      cursor?: string;
    };
    answer: ModelList;
  };
  'model-metadata': {
    params: {
      model: string;
    };
    answer: ModelMetadata;
  };
  'version-metadata': {
    params: {
      model: string;
      version: string;
    };
    answer: ModelMetadata;
  };
  'model-ready': {
    params: {
      model: string;
    };
    answer: ModelReady;
  };
  'version-ready': {
    params: {
      model: string;
      version: string;
    };
    answer: ModelReady;
  };
  infer: {
    params: {
      model: string;
    };
    body: InferRequest;
    answer: InferResponse | PredictionPending;
  };
  'version-infer': {
    params: {
      model: string;
      version: string;
    };
    body: InferRequest;
    answer: InferResponse | PredictionPending;
  };
  'prediction-read': {
    params: {
      prediction: string;
    };
    answer: InferResponse | PredictionPending;
  };
  'prediction-cancel': {
    params: {
      prediction: string;
    };
    answer: PredictionCancelled;
  };
  openapi: {
    answer: {
      [k: string]: unknown;
    };
  };
  'tenant-create': {
    body: TenantCreate;
    answer: Tenant;
  };
  'tenant-list': {
    query?: {
      limit?: number;
      cursor?: string;
    };
    answer: {
      items: Tenant[];
      next: string | null;
    };
  };
  'tenant-read': {
    params: {
      tenant: string;
    };
    answer: Tenant;
  };
  'tenant-patch': {
    params: {
      tenant: string;
    };
    body: TenantPatch;
    answer: Tenant;
  };
  'tenant-remove': {
    params: {
      tenant: string;
    };
    answer: undefined;
  };
  'tenant-erase': {
    params: {
      tenant: string;
    };
    answer: undefined;
  };
  'capture-consent-put': {
    params: {
      tenant: string;
    };
    body: CaptureConsent;
    answer: Tenant;
  };
  'tenant-usage': {
    params: {
      tenant: string;
    };
    answer: Usage;
  };
  'key-create': {
    params: {
      tenant: string;
    };
    body: ApiKeyCreate;
    answer: ApiKeyCreated;
  };
  'key-list': {
    params: {
      tenant: string;
    };
    answer: {
      items: ApiKey[];
    };
  };
  'key-revoke': {
    params: {
      tenant: string;
      key: string;
    };
    answer: undefined;
  };
  'browser-token-create': {
    params: {
      tenant: string;
    };
    body: BrowserTokenCreate;
    answer: BrowserToken;
  };
  'operator-key-create': {
    body: OperatorKeyCreate;
    answer: ApiKeyCreated;
  };
  'operator-key-list': {
    answer: {
      items: ApiKey[];
    };
  };
  'operator-key-revoke': {
    params: {
      key: string;
    };
    answer: undefined;
  };
  'plan-list': {
    answer: {
      items: Plan[];
    };
  };
  'plan-put': {
    params: {
      plan: string;
    };
    body: PlanPut;
    answer: Plan;
  };
  'issuer-list': {
    answer: {
      items: Issuer[];
    };
  };
  'issuer-put': {
    body: Issuer;
    answer: Issuer;
  };
  'issuer-remove': {
    query: {
      issuer: string;
    };
    answer: undefined;
  };
  'upload-create': {
    body: UploadCreate;
    answer: Upload;
  };
  'upload-receive': {
    params: {
      upload: string;
    };
    query: {
      token: string;
    };
    body: Uint8Array;
    answer: UploadReceived;
  };
  'version-push': {
    params: {
      model: string;
    };
    body: VersionPush;
    answer: ModelVersion | Validation;
  };
  'version-list': {
    params: {
      model: string;
    };
    query?: {
      limit?: number;
      cursor?: string;
      order?: 'oldest' | 'newest';
    };
    answer: {
      items: ModelVersion[];
      next: string | null;
    };
  };
  'validation-list': {
    params: {
      model: string;
    };
    query?: {
      limit?: number;
    };
    answer: {
      items: Validation[];
    };
  };
  'validation-read': {
    params: {
      model: string;
      validation: string;
    };
    answer: Validation;
  };
  'version-read': {
    params: {
      model: string;
      version: string;
    };
    answer: ModelVersion;
  };
  'model-replay': {
    params: {
      model: string;
    };
    body: ReplayCreate;
    answer: Replay;
  };
  'model-route-list': {
    query?: {
      limit?: number;
      cursor?: string;
      prefix?: string;
    };
    answer: {
      items: ModelRoute[];
      next: string | null;
    };
  };
  'model-read': {
    params: {
      model: string;
    };
    answer: Model;
  };
  'stable-put': {
    params: {
      model: string;
    };
    body: StablePut;
    answer: ModelRoute;
  };
  overview: {
    answer: Overview;
  };
  'model-metrics': {
    params: {
      model: string;
    };
    query?: {
      /**
       * Number of a version.
       */
      version?: string;
      from?: string;
      until?: string;
      step_s?: number;
    };
    answer: Metrics;
  };
  'feedback-give': {
    params: {
      prediction: string;
    };
    body: FeedbackGive;
    answer: FeedbackGiven;
  };
  'model-feedback': {
    params: {
      model: string;
    };
    query?: {
      /**
       * Number of a version.
       */
      version?: string;
      from?: string;
      until?: string;
      step_s?: number;
    };
    answer: Feedback;
  };
  'tenant-feedback': {
    params: {
      tenant: string;
      model: string;
    };
    query?: {
      /**
       * Number of a version.
       */
      version?: string;
      from?: string;
      until?: string;
    };
    answer: Feedback;
  };
  'release-start': {
    params: {
      model: string;
    };
    body: ReleaseStart;
    answer: ReleaseStarted;
  };
  'release-list': {
    params: {
      model: string;
    };
    query?: {
      limit?: number;
      cursor?: string;
    };
    answer: {
      items: Release[];
      next: string | null;
    };
  };
  'release-list-all': {
    query?: {
      limit?: number;
      cursor?: string;
      state?: 'active' | 'all';
    };
    answer: {
      items: Release[];
      next: string | null;
    };
  };
  'release-read': {
    params: {
      release: string;
    };
    answer: ReleaseDetail;
  };
  'release-audit-list': {
    params: {
      release: string;
    };
    query?: {
      limit?: number;
      cursor?: string;
    };
    answer: {
      items: ReleaseAudit[];
      next: string | null;
    };
  };
  'release-verb': {
    params: {
      release: string;
    };
    body: ReleaseVerb;
    answer: ReleaseVerbAnswer;
  };
  'pin-put': {
    params: {
      tenant: string;
      model: string;
    };
    body: PinPut;
    answer: Tenant;
  };
  'pin-remove': {
    params: {
      tenant: string;
      model: string;
    };
    answer: Tenant;
  };
  'notice-webhook-create': {
    body: NoticeWebhookCreate;
    answer: WebhookWithSecret;
  };
  'notice-webhook-list': {
    answer: {
      items: Webhook[];
    };
  };
  'notice-webhook-remove': {
    params: {
      webhook: string;
    };
    answer: undefined;
  };
  'quality-read': {
    params: {
      model: string;
    };
    query?: {
      /**
       * Number of a version.
       */
      version?: string;
    };
    answer: Quality;
  };
  'quality-check': {
    params: {
      model: string;
    };
    query?: {
      /**
       * Number of a version.
       */
      version?: string;
    };
    answer: Quality;
  };
  'quality-reference-put': {
    params: {
      model: string;
    };
    query?: {
      /**
       * Number of a version.
       */
      version?: string;
    };
    body: QualityReferencePut;
    answer: Quality;
  };
  'tenant-quality-read': {
    params: {
      tenant: string;
      model: string;
    };
    answer: TenantQuality;
  };
  'pool-list': {
    answer: {
      items: Pool[];
    };
  };
  'dead-letter-list': {
    query?: {
      limit?: number;
      cursor?: string;
      pool?: string;
      tenant?: string;
    };
    answer: {
      items: DeadLetter[];
      next: string | null;
    };
  };
  'tenant-dead-letter-list': {
    params: {
      tenant: string;
    };
    query?: {
      limit?: number;
      cursor?: string;
      pool?: string;
    };
    answer: {
      items: DeadLetter[];
      next: string | null;
    };
  };
  'dead-letter-redrive': {
    params: {
      tenant: string;
      letter: string;
    };
    answer: Redriven;
  };
  'dead-letter-discard': {
    params: {
      tenant: string;
      letter: string;
    };
    answer: undefined;
  };
  'audit-list': {
    query?: {
      limit?: number;
      cursor?: string;
      from?: string;
      until?: string;
      by?: string;
      action?: string;
      tenant?: string;
    };
    answer: {
      items: AuditEntry[];
      next: string | null;
    };
  };
  'tenant-audit-list': {
    params: {
      tenant: string;
    };
    query?: {
      limit?: number;
      cursor?: string;
      from?: string;
      until?: string;
      by?: string;
      action?: string;
    };
    answer: {
      items: AuditEntry[];
      next: string | null;
    };
  };
  'audit-verify': {
    query?: {
      from_seq?: number;
      known?: string;
    };
    answer: AuditVerification;
  };
  'log-level-read': {
    answer: LogLevel;
  };
  'log-level-put': {
    body: LogLevelPut;
    answer: LogLevel;
  };
  'webhook-create': {
    params: {
      tenant: string;
    };
    body: WebhookCreate;
    answer: WebhookWithSecret;
  };
  'webhook-list': {
    params: {
      tenant: string;
    };
    answer: {
      items: Webhook[];
    };
  };
  'webhook-read': {
    params: {
      tenant: string;
      webhook: string;
    };
    answer: Webhook;
  };
  'webhook-patch': {
    params: {
      tenant: string;
      webhook: string;
    };
    body: WebhookPatch;
    answer: Webhook;
  };
  'webhook-remove': {
    params: {
      tenant: string;
      webhook: string;
    };
    answer: undefined;
  };
  'webhook-secret-rotate': {
    params: {
      tenant: string;
      webhook: string;
    };
    answer: WebhookWithSecret;
  };
  'webhook-test': {
    params: {
      tenant: string;
      webhook: string;
    };
    answer: WebhookTested;
  };
  'delivery-list': {
    params: {
      tenant: string;
      webhook: string;
    };
    query?: {
      limit?: number;
    };
    answer: {
      items: WebhookDelivery[];
    };
  };
  'delivery-replay': {
    params: {
      tenant: string;
      webhook: string;
      delivery: string;
    };
    answer: WebhookDelivery;
  };
  'alarm-list': {
    answer: {
      items: Alarm[];
    };
  };
  'check-list': {
    answer: {
      items: SyntheticCheck[];
    };
  };
  'cost-read': {
    query?: {
      from?: string;
      until?: string;
      by?: 'day' | 'tenant' | 'model' | 'version' | 'pool';
      limit?: number;
    };
    answer: Cost;
  };
  'tenant-cost-read': {
    params: {
      tenant: string;
    };
    query?: {
      from?: string;
      until?: string;
      by?: 'day' | 'model';
      limit?: number;
    };
    answer: TenantCost;
  };
  'budget-list': {
    answer: {
      items: Budget[];
    };
  };
  'budget-put': {
    body: BudgetPut;
    answer: Budget;
  };
  'budget-remove': {
    query: {
      scope: string;
    };
    answer: undefined;
  };
  'orphan-list': {
    query?: {
      days?: number;
    };
    answer: Orphans;
  };
  'session-read': {
    answer: Session;
  };
}
export interface ServerMetadata {
  name: string;
  version: string;
  extensions: string[];
}
export interface ServerLive {
  live: boolean;
}
export interface ServerReady {
  ready: boolean;
}
export interface ModelList {
  models: {
    name: string;
    version: string | null;
    ready: boolean;
  }[];
  next: string | null;
}
export interface ModelMetadata {
  name: string;
  versions: string[];
  platform: 'onnx_onnxv1';
  inputs: TensorMetadata[];
  outputs: TensorMetadata[];
}
export interface TensorMetadata {
  name: string;
  datatype:
    | 'BOOL'
    | 'UINT8'
    | 'UINT16'
    | 'UINT32'
    | 'UINT64'
    | 'INT8'
    | 'INT16'
    | 'INT32'
    | 'INT64'
    | 'FP16'
    | 'FP32'
    | 'FP64'
    | 'BYTES';
  shape: number[];
}
export interface ModelReady {
  name: string;
  ready: boolean;
}
export interface InferRequest {
  id?: string;
  model_name?: string;
  parameters?: {
    binary_data_output?: boolean;
    timeout_ms?: number;
    content_type?: string;
  };
  inputs: RequestTensor[];
  outputs?: {
    name: string;
    parameters?: {
      binary_data?: boolean;
    };
  }[];
}
export interface RequestTensor {
  name: string;
  /**
   * @maxItems 16
   */
  shape: number[];
  datatype:
    | 'BOOL'
    | 'UINT8'
    | 'UINT16'
    | 'UINT32'
    | 'UINT64'
    | 'INT8'
    | 'INT16'
    | 'INT32'
    | 'INT64'
    | 'FP16'
    | 'FP32'
    | 'FP64'
    | 'BYTES';
  parameters?: {
    binary_data_size?: number;
    content_type?: string;
  };
  /**
   * Row-major, flat or nested as the shape. INT64 and UINT64 beyond ±(2^53 − 1) are decimal strings; null is NaN.
   */
  data?: ((number | string | boolean | null) | unknown[])[];
}
export interface InferResponse {
  model_name: string;
  model_version: string;
  id: string;
  outputs: ResponseTensor[];
}
export interface ResponseTensor {
  name: string;
  datatype:
    | 'BOOL'
    | 'UINT8'
    | 'UINT16'
    | 'UINT32'
    | 'UINT64'
    | 'INT8'
    | 'INT16'
    | 'INT32'
    | 'INT64'
    | 'FP16'
    | 'FP32'
    | 'FP64'
    | 'BYTES';
  shape: number[];
  parameters?: {
    [k: string]: string | number | boolean;
  };
  /**
   * Row-major, flat. NaN and infinities are null; see the binary extension for exact bits.
   */
  data?: (number | string | boolean | null)[];
}
export interface PredictionPending {
  /**
   * Ask GET /v2/predictions/{id} for the result.
   */
  id: string;
  state: 'pending';
  model_version: string;
}
export interface PredictionCancelled {
  id: string;
  /**
   * ended: it had its outcome already.
   */
  state: 'cancelled' | 'ended';
}
export interface TenantCreate {
  id: string;
  name: string;
  region?: string;
  /**
   * Id of a plan.
   */
  plan: string;
  overrides?: {
    requests_per_second?: number;
    request_burst?: number;
    rows_per_minute?: number;
    requests_in_flight?: number;
    waiting_handlers?: number;
    daily_compute_ms?: number;
    weight?: number;
    /**
     * @maxItems 1000
     */
    models?: string[];
  };
  wrong_region?: 'refuse' | 'redirect' | 'forward';
  /**
   * @maxItems 50
   */
  allowed_origins?: string[];
  pool?: string;
}
export interface Tenant {
  id: string;
  name: string;
  region: string;
  plan: string;
  overrides: {
    requests_per_second?: number;
    request_burst?: number;
    rows_per_minute?: number;
    requests_in_flight?: number;
    waiting_handlers?: number;
    daily_compute_ms?: number;
    weight?: number;
    /**
     * @maxItems 1000
     */
    models?: string[];
  };
  wrong_region: 'refuse' | 'redirect' | 'forward';
  /**
   * @maxItems 50
   */
  allowed_origins: string[];
  suspended: boolean;
  pool: string | null;
  capture_consent: boolean;
  pins: {
    [k: string]: string;
  };
  created_at_ms: number;
  epoch: number;
}
export interface TenantPatch {
  name?: string;
  /**
   * Id of a plan.
   */
  plan?: string;
  overrides?: {
    requests_per_second?: number;
    request_burst?: number;
    rows_per_minute?: number;
    requests_in_flight?: number;
    waiting_handlers?: number;
    daily_compute_ms?: number;
    weight?: number;
    /**
     * @maxItems 1000
     */
    models?: string[];
  };
  wrong_region?: 'refuse' | 'redirect' | 'forward';
  /**
   * @maxItems 50
   */
  allowed_origins?: string[];
  suspended?: boolean;
  pool?: string | null;
  epoch?: number;
}
export interface CaptureConsent {
  consent: boolean;
}
export interface Usage {
  tenant: string;
  day_start_ms: number;
  compute_ms: number;
  daily_compute_ms: number;
  in_flight: number;
  requests_in_flight: number;
  month: MonthUsage;
}
export interface MonthUsage {
  start_ms: number;
  compute_ms: number;
  requests: number;
  rows: number;
  cost_usd: number;
}
export interface ApiKeyCreate {
  label: string;
  role?: 'tenant-user' | 'tenant-admin';
  /**
   * @minItems 1
   * @maxItems 1000
   */
  models?: string[];
  expires_at_ms?: number;
}
export interface ApiKeyCreated {
  /**
   * Id of an API key, as the list of keys shows it.
   */
  id: string;
  tenant: string | null;
  role: 'tenant-user' | 'tenant-admin' | 'operator' | 'admin';
  models: string[] | null;
  label: string;
  created_at_ms: number;
  expires_at_ms: number | null;
  revoked_at_ms: number | null;
  key: string;
}
export interface ApiKey {
  /**
   * Id of an API key, as the list of keys shows it.
   */
  id: string;
  tenant: string | null;
  role: 'tenant-user' | 'tenant-admin' | 'operator' | 'admin';
  models: string[] | null;
  label: string;
  created_at_ms: number;
  expires_at_ms: number | null;
  revoked_at_ms: number | null;
}
export interface BrowserTokenCreate {
  user: string;
  /**
   * @minItems 1
   * @maxItems 1000
   */
  models?: string[];
}
export interface BrowserToken {
  token: string;
  expires_at_ms: number;
}
export interface OperatorKeyCreate {
  label: string;
  role?: 'operator' | 'admin';
  expires_at_ms?: number;
}
export interface Plan {
  id: string;
  limits: PlanLimits;
  epoch: number;
}
export interface PlanLimits {
  requests_per_second: number;
  request_burst: number;
  rows_per_minute: number;
  requests_in_flight: number;
  waiting_handlers: number;
  daily_compute_ms: number;
  weight: number;
  /**
   * @maxItems 1000
   */
  models: string[];
}
export interface PlanPut {
  limits: PlanLimits;
  epoch?: number;
}
export interface Issuer {
  issuer: string;
  audience: string;
  jwks_uri: string;
  /**
   * @minItems 1
   * @maxItems 10000
   */
  tenants: ('*' | string)[];
  max_role: 'tenant-user' | 'tenant-admin' | 'operator' | 'admin';
}
export interface UploadCreate {
  max_bytes?: number;
}
export interface Upload {
  /**
   * Id of an upload.
   */
  id: string;
  url: string;
  expires_at_ms: number;
}
export interface UploadReceived {
  size_bytes: number;
}
export interface VersionPush {
  manifest: {
    [k: string]: unknown;
  };
  /**
   * Id of an upload.
   */
  model_upload: string;
  /**
   * Id of an upload.
   */
  golden_upload?: string;
  /**
   * Id of an upload.
   */
  tokenizer_upload?: string;
  /**
   * Id of an upload.
   */
  reference_upload?: string;
}
export interface ModelVersion {
  model: string;
  version: string;
  model_digest: string;
  model_bytes: number;
  golden_digest: string | null;
  tokenizer_digest: string | null;
  reference_digest: string | null;
  digest: string;
  manifest: {
    name: string;
    description?: string;
    license?: string;
    provenance?: string;
    inputs: {
      [k: string]: {
        min?: number;
        max?: number;
        maxLength?: number;
        allowNotFinite?: boolean;
        pad?: number;
      };
    };
    batching: {
      maxRows?: number;
      maxPaddedElements?: number;
      maxBatchMs?: number;
      batchMateDependent: boolean;
    };
    limits: {
      maxRows: number;
      maxLength: number;
    };
    timeoutMs: number;
    tokenizer?: {
      input: string;
      ids: string;
      mask?: string;
      typeIds?: string;
      maxTokens: number;
      longTexts: 'cut' | 'refuse';
    };
    cache?: {
      seconds: number;
    };
    fallback?:
      | {
          model: string;
          afterMs?: number;
        }
      | {
          outputs: {
            /**
             * @minItems 1
             * @maxItems 100000
             */
            [k: string]: (number | string | boolean)[];
          };
          afterMs?: number;
        };
    breaker: {
      errorShare: number;
      minRequests: number;
      windowS: number;
      openS: number;
      probes: number;
    };
    variants?: {
      [k: string]: string;
    };
    pool?: string;
    capture?: {
      share: number;
      retentionDays: number;
    };
    feedback?: {
      days: number;
      /**
       * @minItems 2
       * @maxItems 512
       */
      labels?: string[];
    };
    release?: {
      assignBy: 'user' | 'tenant' | 'request';
      /**
       * @minItems 1
       * @maxItems 20
       */
      steps: (
        | {
            shadow: number;
            hold: {
              seconds: number;
              minRequests: number;
              escalateAfterS: number;
            };
            analysis: boolean;
          }
        | {
            setWeight:
              | number
              | {
                  /**
                   * @minItems 1
                   * @maxItems 100
                   */
                  tenants: string[];
                }
              | {
                  /**
                   * @minItems 1
                   * @maxItems 100
                   */
                  plans: string[];
                };
            hold: {
              seconds: number;
              minRequests: number;
              escalateAfterS: number;
            };
            analysis: boolean;
          }
        | {
            gate: {
              people: 1 | 2;
              timeoutS: number;
            };
          }
      )[];
      analysis: {
        errorRatio: number;
        latencyGrowth: number;
        computeGrowth: number;
        divergence: number;
        agreement: number;
        accuracyLoss: number;
      };
      limits: {
        crashes: number;
        errorRate: number;
        minRequests: number;
      };
      watch: {
        seconds: number;
      };
      warmWithinS: number;
    };
    drift?: {
      threshold: number;
      minSamples: number;
      windowMinutes: number;
      alarmAfter: number;
      retrainEveryDays?: number;
    };
    mayBeConstant: boolean;
    maxComputeMsPerRow: number;
    tolerance: {
      absolute: number;
      relative: number;
    };
  };
  signature: {
    /**
     * @minItems 1
     */
    inputs: {
      name: string;
      datatype:
        | 'BOOL'
        | 'UINT8'
        | 'UINT16'
        | 'UINT32'
        | 'UINT64'
        | 'INT8'
        | 'INT16'
        | 'INT32'
        | 'INT64'
        | 'FP16'
        | 'FP32'
        | 'FP64'
        | 'BYTES';
      shape: (number | string)[];
    }[];
    /**
     * @minItems 1
     */
    outputs: {
      name: string;
      datatype:
        | 'BOOL'
        | 'UINT8'
        | 'UINT16'
        | 'UINT32'
        | 'UINT64'
        | 'INT8'
        | 'INT16'
        | 'INT32'
        | 'INT64'
        | 'FP16'
        | 'FP32'
        | 'FP64'
        | 'BYTES';
      shape: (number | string)[];
    }[];
  };
  graph_signature: {
    /**
     * @minItems 1
     */
    inputs: {
      name: string;
      datatype:
        | 'BOOL'
        | 'UINT8'
        | 'UINT16'
        | 'UINT32'
        | 'UINT64'
        | 'INT8'
        | 'INT16'
        | 'INT32'
        | 'INT64'
        | 'FP16'
        | 'FP32'
        | 'FP64'
        | 'BYTES';
      shape: (number | string)[];
    }[];
    /**
     * @minItems 1
     */
    outputs: {
      name: string;
      datatype:
        | 'BOOL'
        | 'UINT8'
        | 'UINT16'
        | 'UINT32'
        | 'UINT64'
        | 'INT8'
        | 'INT16'
        | 'INT32'
        | 'INT64'
        | 'FP16'
        | 'FP32'
        | 'FP64'
        | 'BYTES';
      shape: (number | string)[];
    }[];
  } | null;
  validation: ValidationReport;
  pushed_by: string;
  pushed_at_ms: number;
}
export interface ValidationReport {
  checks: Check[];
  golden_pairs: number;
  largest_difference: number;
  load_ms: number;
  row_ms: number;
  memory_bytes: number;
  batch_mates: {
    verdict: 'independent' | 'size-dependent' | 'mate-dependent' | 'never-batched';
    largest_difference: number;
  };
  speed: {
    rows: number;
    length: number;
    run_ms: number;
  }[];
  batching: {
    max_rows: number;
    max_padded_elements?: number;
    max_batch_ms: number;
  };
  usd_per_thousand: number;
  repairs: string[];
  took_ms: number;
}
export interface Check {
  check:
    | 'file'
    | 'loads'
    | 'signature'
    | 'golden'
    | 'constant'
    | 'not-finite'
    | 'zero-size'
    | 'probes'
    | 'batch-mates'
    | 'speed'
    | 'memory';
  outcome: 'passed' | 'repaired' | 'warning' | 'refused' | 'skipped';
  detail: string;
  advice?: string;
  took_ms: number;
}
export interface Validation {
  id: string;
  model: string;
  state: 'queued' | 'running' | 'accepted' | 'refused';
  model_digest: string;
  model_bytes: number;
  digest: string;
  pushed_by: string;
  created_at_ms: number;
  expires_at_ms: number;
  checks: Check[];
  progress: string | null;
  version: string | null;
  problem: Refusal | null;
}
export interface Refusal {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  code: string;
  retryable: boolean;
  advice: string;
  [k: string]: unknown;
}
export interface ReplayCreate {
  /**
   * Number of a version.
   */
  from: string;
  /**
   * Number of a version.
   */
  to: string;
  /**
   * Name of a model.
   */
  to_model?: string;
  source?: 'golden' | 'captured';
  limit?: number;
  tenant?: string;
}
export interface Replay {
  source: 'golden' | 'captured';
  from: ReplaySide;
  to: ReplaySide;
  inputs: number;
  compared: number;
  agree: number;
  differ: number;
  both_failed: number;
  stopped: ('time' | 'crashes' | 'cancelled') | null;
  outputs: ReplayOutput[];
  differing: string[];
  took_ms: number;
}
export interface ReplaySide {
  model: string;
  version: string;
  p50_ms: number | null;
  p99_ms: number | null;
  refused: number;
  crashed: number;
  timed_out: number;
}
export interface ModelRoute {
  model: string;
  stable: string | null;
  epoch: number;
}
export interface Model {
  model: string;
  stable: string | null;
  epoch: number;
  newest: string | null;
  active_release: string | null;
}
export interface StablePut {
  /**
   * Number of a version.
   */
  version: string;
  epoch?: number;
}
export interface Overview {
  region: string;
  at: string;
  requests_per_s: number;
  requests_last_hour: number;
  p50_ms: number | null;
  p95_ms: number | null;
  error_rate: number | null;
  cost_today_usd: number;
  queues: {
    pool: string;
    lane: string;
    depth: number;
    oldest_s: number | null;
  }[];
  workers: number;
  runners: number;
  busy_share: number | null;
  active_releases: {
    release: string;
    model: string;
    phase: string;
    step: number;
    candidate: string;
    stable: string;
    weight_percent: number;
  }[];
  alarms: Alarm[];
  series: {
    at: string;
    requests: number;
    errors: number;
    p95_ms: number | null;
  }[];
}
export interface Alarm {
  id: string;
  name:
    | 'server-errors'
    | 'slow-answers'
    | 'slow-version'
    | 'error-budget-fast'
    | 'error-budget-slow'
    | 'no-traffic'
    | 'no-traffic-of-model'
    | 'saturation'
    | 'queue-age'
    | 'batch-queue-age'
    | 'dead-letters'
    | 'no-workers'
    | 'cold-start'
    | 'drift'
    | 'missing-class'
    | 'budget-near'
    | 'budget-spent'
    | 'key-expiry'
    | 'check-failed'
    | 'audit-broken'
    | 'telemetry-stale'
    | 'watch-stalled';
  severity: 'page' | 'ticket';
  state: 'ok' | 'alarm' | 'no-data';
  of: {
    model?: string;
    version?: string;
    pool?: string;
    lane?: string;
    tenant?: string;
    check?: string;
    worker?: string;
    key?: string;
  };
  value: number | null;
  threshold: number;
  is: 'at-least' | 'below';
  unit: string;
  says: string;
  since: string;
  runbook_url: string;
}
export interface Metrics {
  model: string;
  version: string;
  from: string;
  until: string;
  step_s: number;
  items: MetricsStep[];
  total: {
    requests: number;
    errors: number;
    error_rate: number | null;
    errors_by_code: {
      [k: string]: number;
    };
    p50_ms: number | null;
    p95_ms: number | null;
    p99_ms: number | null;
    queue_p95_ms: number | null;
    batch_rows_mean: number | null;
    rows: number;
    compute_ms: number;
    cache_hits: number;
    fallbacks: number;
    crashes: number;
    labels: {
      [k: string]: number;
    };
    confidence_mean: number | null;
    input_elements_p95: number | null;
    latency_histogram: {
      from_ms: number;
      until_ms: number;
      count: number;
    }[];
    confidence_histogram: {
      from: number;
      until: number;
      count: number;
    }[];
    tenants: {
      tenant: string;
      requests: number;
    }[];
  };
}
export interface MetricsStep {
  at: string;
  requests: number;
  errors: number;
  error_rate: number | null;
  errors_by_code: {
    [k: string]: number;
  };
  p50_ms: number | null;
  p95_ms: number | null;
  p99_ms: number | null;
  queue_p95_ms: number | null;
  batch_rows_mean: number | null;
  rows: number;
  compute_ms: number;
  cache_hits: number;
  fallbacks: number;
  crashes: number;
  labels: {
    [k: string]: number;
  };
  confidence_mean: number | null;
  input_elements_p95: number | null;
}
export interface FeedbackGive {
  label: (string | number) | (string | number)[];
  at?: string;
}
export interface FeedbackGiven {
  /**
   * Id of a prediction, from Location or the 202 body.
   */
  id: string;
  counted: boolean;
}
export interface Feedback {
  model: string;
  version: string;
  from: string;
  until: string;
  step_s: number;
  count: number;
  accuracy: number | null;
  accuracy_interval: never[] | null;
  macro_f1: number | null;
  expected_calibration_error: number | null;
  agreement: number | null;
  classes: {
    label: string;
    precision: number;
    recall: number;
    f1: number;
    support: number;
  }[];
  confusion: {
    labels: string[];
    counts: number[][];
    other: number;
  };
  calibration: {
    confidence: number;
    accuracy: number;
    count: number;
  }[];
  items: {
    at: string;
    count: number;
    accuracy: number | null;
    macro_f1: number | null;
  }[];
  tenants: {
    tenant: string;
    count: number;
    accuracy: number | null;
  }[];
}
export interface ReleaseStart {
  /**
   * Number of a version.
   */
  version: string;
  plan?: {
    [k: string]: unknown;
  };
  reason: string;
}
export interface ReleaseStarted {
  /**
   * Id of a release, from Location or the 202 body of its start.
   */
  id: string;
  /**
   * Name of a model.
   */
  model: string;
  /**
   * Number of a version.
   */
  stable: string;
  /**
   * Number of a version.
   */
  candidate: string;
  started_by: string;
  started_at_ms: number;
  state:
    | 'scaling'
    | 'stepping'
    | 'gated'
    | 'watching'
    | 'paused'
    | 'escalated'
    | 'undoing'
    | 'promoted'
    | 'rolled-back';
  step: number | null;
  steps: number;
  until_ms: number | null;
  time_left_ms: number | null;
  paused_since_ms: number | null;
  paused_from: string | null;
  approvals: string[];
  approvals_needed: number | null;
  why: string | null;
  ended_at_ms: number | null;
  /**
   * Number of a version.
   */
  serving: string;
  weight_percent: number;
  tenants: string[];
  plans: string[];
  shadow_percent: number;
  warm_percent: number;
  verdict: ReleaseVerdict | null;
  plan: {
    assignBy: 'user' | 'tenant' | 'request';
    /**
     * @minItems 1
     * @maxItems 20
     */
    steps: (
      | {
          shadow: number;
          hold: {
            seconds: number;
            minRequests: number;
            escalateAfterS: number;
          };
          analysis: boolean;
        }
      | {
          setWeight:
            | number
            | {
                /**
                 * @minItems 1
                 * @maxItems 100
                 */
                tenants: string[];
              }
            | {
                /**
                 * @minItems 1
                 * @maxItems 100
                 */
                plans: string[];
              };
          hold: {
            seconds: number;
            minRequests: number;
            escalateAfterS: number;
          };
          analysis: boolean;
        }
      | {
          gate: {
            people: 1 | 2;
            timeoutS: number;
          };
        }
    )[];
    analysis: {
      errorRatio: number;
      latencyGrowth: number;
      computeGrowth: number;
      divergence: number;
      agreement: number;
      accuracyLoss: number;
    };
    limits: {
      crashes: number;
      errorRate: number;
      minRequests: number;
    };
    watch: {
      seconds: number;
    };
    warmWithinS: number;
  };
  attempt: number;
  epoch: number;
  golden: string;
  golden_report: Replay | null;
}
export interface ReleaseVerdict {
  outcome: 'pass' | 'fail' | 'inconclusive';
  sentence: string;
  requests: number;
  checks: ReleaseCheck[];
}
export interface ReleaseCheck {
  name:
    | 'errors'
    | 'latency-p50'
    | 'latency-p95'
    | 'latency-p99'
    | 'agreement'
    | 'labels'
    | 'confidence'
    | 'accuracy'
    | 'compute';
  outcome: 'pass' | 'fail' | 'inconclusive' | 'absent';
  stable: number | null;
  candidate: number | null;
  sentence: string;
}
export interface Release {
  /**
   * Id of a release, from Location or the 202 body of its start.
   */
  id: string;
  /**
   * Name of a model.
   */
  model: string;
  /**
   * Number of a version.
   */
  stable: string;
  /**
   * Number of a version.
   */
  candidate: string;
  started_by: string;
  started_at_ms: number;
  state:
    | 'scaling'
    | 'stepping'
    | 'gated'
    | 'watching'
    | 'paused'
    | 'escalated'
    | 'undoing'
    | 'promoted'
    | 'rolled-back';
  step: number | null;
  steps: number;
  until_ms: number | null;
  time_left_ms: number | null;
  paused_since_ms: number | null;
  paused_from: string | null;
  approvals: string[];
  approvals_needed: number | null;
  why: string | null;
  ended_at_ms: number | null;
  /**
   * Number of a version.
   */
  serving: string;
  weight_percent: number;
  tenants: string[];
  plans: string[];
  shadow_percent: number;
  warm_percent: number;
  verdict: ReleaseVerdict | null;
  plan: {
    assignBy: 'user' | 'tenant' | 'request';
    /**
     * @minItems 1
     * @maxItems 20
     */
    steps: (
      | {
          shadow: number;
          hold: {
            seconds: number;
            minRequests: number;
            escalateAfterS: number;
          };
          analysis: boolean;
        }
      | {
          setWeight:
            | number
            | {
                /**
                 * @minItems 1
                 * @maxItems 100
                 */
                tenants: string[];
              }
            | {
                /**
                 * @minItems 1
                 * @maxItems 100
                 */
                plans: string[];
              };
          hold: {
            seconds: number;
            minRequests: number;
            escalateAfterS: number;
          };
          analysis: boolean;
        }
      | {
          gate: {
            people: 1 | 2;
            timeoutS: number;
          };
        }
    )[];
    analysis: {
      errorRatio: number;
      latencyGrowth: number;
      computeGrowth: number;
      divergence: number;
      agreement: number;
      accuracyLoss: number;
    };
    limits: {
      crashes: number;
      errorRate: number;
      minRequests: number;
    };
    watch: {
      seconds: number;
    };
    warmWithinS: number;
  };
  attempt: number;
  epoch: number;
}
export interface ReleaseDetail {
  /**
   * Id of a release, from Location or the 202 body of its start.
   */
  id: string;
  /**
   * Name of a model.
   */
  model: string;
  /**
   * Number of a version.
   */
  stable: string;
  /**
   * Number of a version.
   */
  candidate: string;
  started_by: string;
  started_at_ms: number;
  state:
    | 'scaling'
    | 'stepping'
    | 'gated'
    | 'watching'
    | 'paused'
    | 'escalated'
    | 'undoing'
    | 'promoted'
    | 'rolled-back';
  step: number | null;
  steps: number;
  until_ms: number | null;
  time_left_ms: number | null;
  paused_since_ms: number | null;
  paused_from: string | null;
  approvals: string[];
  approvals_needed: number | null;
  why: string | null;
  ended_at_ms: number | null;
  /**
   * Number of a version.
   */
  serving: string;
  weight_percent: number;
  tenants: string[];
  plans: string[];
  shadow_percent: number;
  warm_percent: number;
  verdict: ReleaseVerdict | null;
  plan: {
    assignBy: 'user' | 'tenant' | 'request';
    /**
     * @minItems 1
     * @maxItems 20
     */
    steps: (
      | {
          shadow: number;
          hold: {
            seconds: number;
            minRequests: number;
            escalateAfterS: number;
          };
          analysis: boolean;
        }
      | {
          setWeight:
            | number
            | {
                /**
                 * @minItems 1
                 * @maxItems 100
                 */
                tenants: string[];
              }
            | {
                /**
                 * @minItems 1
                 * @maxItems 100
                 */
                plans: string[];
              };
          hold: {
            seconds: number;
            minRequests: number;
            escalateAfterS: number;
          };
          analysis: boolean;
        }
      | {
          gate: {
            people: 1 | 2;
            timeoutS: number;
          };
        }
    )[];
    analysis: {
      errorRatio: number;
      latencyGrowth: number;
      computeGrowth: number;
      divergence: number;
      agreement: number;
      accuracyLoss: number;
    };
    limits: {
      crashes: number;
      errorRate: number;
      minRequests: number;
    };
    watch: {
      seconds: number;
    };
    warmWithinS: number;
  };
  attempt: number;
  epoch: number;
  numbers: ReleaseNumbers | null;
  segments: ReleaseSegment[];
  options: ReleaseOption[];
}
export interface ReleaseNumbers {
  from_ms: number;
  until_ms: number;
  stable: VersionNumbers;
  candidate: VersionNumbers;
  agreement: number | null;
  shadow: {
    compared: number;
    agreed: number;
    candidate_failed: number;
  };
  latency: {
    from_ms: number;
    until_ms: number;
    stable: number;
    candidate: number;
  }[];
  labels: {
    label: string | null;
    stable: number | null;
    candidate: number | null;
  }[];
  confidence: {
    from: number;
    until: number;
    stable: number;
    candidate: number;
  }[];
}
export interface VersionNumbers {
  requests: number;
  errors: number;
  error_rate: number | null;
  p50_ms: number | null;
  p95_ms: number | null;
  p99_ms: number | null;
  errors_by_code: {
    [k: string]: number;
  };
  compute_ms: number | null;
  usd_per_thousand: number | null;
  crashes: number;
  cache_hits: number;
  fallbacks: number;
  accuracy: number | null;
  feedback: number;
}
export interface ReleaseSegment {
  step: number | null;
  weight_percent: number;
  shadow_percent: number;
  from_ms: number;
  until_ms: number | null;
}
export interface ReleaseOption {
  verb: 'promote' | 'promote-full' | 'pause' | 'resume' | 'abort' | 'approve' | 'retry' | 'undo';
  refused: string | null;
  after: {
    state:
      | 'scaling'
      | 'stepping'
      | 'gated'
      | 'watching'
      | 'paused'
      | 'escalated'
      | 'undoing'
      | 'promoted'
      | 'rolled-back';
    step: number | null;
    /**
     * Number of a version.
     */
    serving: string;
    weight_percent: number;
    shadow_percent: number;
    tenants: string[];
    plans: string[];
  } | null;
}
export interface ReleaseAudit {
  at_ms: number;
  by: string;
  what: string;
  why: string;
  epoch: number;
}
export interface ReleaseVerb {
  verb: 'promote' | 'promote-full' | 'pause' | 'resume' | 'abort' | 'approve' | 'retry' | 'undo';
  reason: string;
  id?: string;
  /**
   * Number of a version.
   */
  version?: string;
  attempt?: number;
}
export interface ReleaseVerbAnswer {
  /**
   * Id of a release, from Location or the 202 body of its start.
   */
  id: string;
  /**
   * Name of a model.
   */
  model: string;
  /**
   * Number of a version.
   */
  stable: string;
  /**
   * Number of a version.
   */
  candidate: string;
  started_by: string;
  started_at_ms: number;
  state:
    | 'scaling'
    | 'stepping'
    | 'gated'
    | 'watching'
    | 'paused'
    | 'escalated'
    | 'undoing'
    | 'promoted'
    | 'rolled-back';
  step: number | null;
  steps: number;
  until_ms: number | null;
  time_left_ms: number | null;
  paused_since_ms: number | null;
  paused_from: string | null;
  approvals: string[];
  approvals_needed: number | null;
  why: string | null;
  ended_at_ms: number | null;
  /**
   * Number of a version.
   */
  serving: string;
  weight_percent: number;
  tenants: string[];
  plans: string[];
  shadow_percent: number;
  warm_percent: number;
  verdict: ReleaseVerdict | null;
  plan: {
    assignBy: 'user' | 'tenant' | 'request';
    /**
     * @minItems 1
     * @maxItems 20
     */
    steps: (
      | {
          shadow: number;
          hold: {
            seconds: number;
            minRequests: number;
            escalateAfterS: number;
          };
          analysis: boolean;
        }
      | {
          setWeight:
            | number
            | {
                /**
                 * @minItems 1
                 * @maxItems 100
                 */
                tenants: string[];
              }
            | {
                /**
                 * @minItems 1
                 * @maxItems 100
                 */
                plans: string[];
              };
          hold: {
            seconds: number;
            minRequests: number;
            escalateAfterS: number;
          };
          analysis: boolean;
        }
      | {
          gate: {
            people: 1 | 2;
            timeoutS: number;
          };
        }
    )[];
    analysis: {
      errorRatio: number;
      latencyGrowth: number;
      computeGrowth: number;
      divergence: number;
      agreement: number;
      accuracyLoss: number;
    };
    limits: {
      crashes: number;
      errorRate: number;
      minRequests: number;
    };
    watch: {
      seconds: number;
    };
    warmWithinS: number;
  };
  attempt: number;
  epoch: number;
  applied: boolean;
}
export interface PinPut {
  /**
   * Number of a version.
   */
  version: string;
}
export interface NoticeWebhookCreate {
  url: string;
  /**
   * @minItems 1
   */
  events?: ('release.changed' | 'model.drifted' | 'model.retraining_due' | 'alarm.changed')[];
}
export interface WebhookWithSecret {
  /**
   * Id of a webhook.
   */
  id: string;
  url: string;
  /**
   * @minItems 1
   */
  events: (
    | 'prediction.succeeded'
    | 'prediction.failed'
    | 'release.changed'
    | 'model.drifted'
    | 'model.retraining_due'
    | 'alarm.changed'
  )[];
  disabled: 'no' | 'by-tenant' | 'gone';
  created_at_ms: number;
  secret: string;
}
export interface Webhook {
  /**
   * Id of a webhook.
   */
  id: string;
  url: string;
  /**
   * @minItems 1
   */
  events: (
    | 'prediction.succeeded'
    | 'prediction.failed'
    | 'release.changed'
    | 'model.drifted'
    | 'model.retraining_due'
    | 'alarm.changed'
  )[];
  disabled: 'no' | 'by-tenant' | 'gone';
  created_at_ms: number;
}
export interface Quality {
  model: string;
  version: string;
  reference: {
    kind: 'validation' | 'training' | 'window';
    from: string | null;
    until: string | null;
    rows: number;
  } | null;
  checked_at: string | null;
  window: {
    from: string;
    until: string;
  } | null;
  rows: number;
  status: 'ok' | 'drifting' | 'drifted' | 'too-few' | 'no-reference';
  checks: QualityCheck[];
  labels: {
    label: string;
    reference_share: number | null;
    share: number | null;
  }[];
  missing_classes: string[];
  data_quality: {
    input: string;
    rows: number;
    missing_share: number | null;
    too_long_share: number | null;
    class_shift: number | null;
    reference: {
      rows: number;
      missing_share: number | null;
      too_long_share: number | null;
    } | null;
  }[];
  confidence: {
    reference: number[] | null;
    current: number[];
  };
  history: {
    at: string;
    status: 'ok' | 'drifting' | 'drifted' | 'too-few' | 'no-reference';
    rows: number;
    missing_classes: number;
    checks: {
      name: string;
      value: number;
      drifted: boolean;
    }[];
  }[];
}
export interface QualityCheck {
  subject: 'labels' | 'confidence' | 'input';
  name: string;
  method: 'js' | 'psi' | 'ks' | 'wasserstein';
  value: number;
  threshold: number;
  drifted: boolean;
  windows_in_a_row: number;
  alarms_after: number;
  samples: number;
  judged: boolean;
}
export interface QualityReferencePut {
  kind: 'validation' | 'training' | 'window';
  from?: string;
  until?: string;
}
export interface TenantQuality {
  model: string;
  version: string;
  checked_at: string | null;
  window: {
    from: string;
    until: string;
  } | null;
  status: 'ok' | 'drifting' | 'drifted' | 'too-few' | 'no-reference';
  checks: TenantQualityCheck[];
}
export interface TenantQualityCheck {
  subject: 'labels' | 'confidence' | 'input';
  name: string;
  method: 'js' | 'psi' | 'ks' | 'wasserstein';
  value: number;
  threshold: number;
  drifted: boolean;
  windows_in_a_row: number;
  alarms_after: number;
}
export interface Pool {
  pool: string;
  lanes: {
    lane: 'interactive' | 'bulk';
    depth: number;
    oldest_s: number | null;
  }[];
  workers: {
    worker: string;
    runners: number;
    busy: number | null;
    backlog_ms: number;
    loaded: {
      model: string;
      version: string;
      row_ms: number | null;
      breaker: 'open' | 'half-open' | 'closed';
      warm: number | null;
    }[];
    draining: boolean;
    memory_bytes: number | null;
    cpu_share: number | null;
    gpu: {
      busy_share: number;
      memory_bytes: number;
      total_bytes: number;
    } | null;
    up_s: number | null;
    at: string;
  }[];
}
export interface DeadLetter {
  /**
   * Id of a dead letter.
   */
  id: string;
  tenant: string;
  prediction: string;
  model: string | null;
  version: string | null;
  pool: string;
  lane: 'interactive' | 'bulk';
  reason:
    | 'credentials-missing'
    | 'credentials-invalid'
    | 'credentials-expired'
    | 'issuer-unknown'
    | 'issuer-unavailable'
    | 'forbidden'
    | 'wrong-region'
    | 'region-unavailable'
    | 'route-unknown'
    | 'method-unsupported'
    | 'tenant-unknown'
    | 'model-unknown'
    | 'version-unknown'
    | 'version-not-ready'
    | 'prediction-unknown'
    | 'key-unknown'
    | 'plan-unknown'
    | 'pool-unknown'
    | 'webhook-unknown'
    | 'delivery-unknown'
    | 'webhook-limit-reached'
    | 'webhook-url-refused'
    | 'validation-unknown'
    | 'dead-letter-unknown'
    | 'dead-letter-empty'
    | 'release-unknown'
    | 'upload-unknown'
    | 'body-too-large'
    | 'body-incomplete'
    | 'headers-too-large'
    | 'json-invalid'
    | 'json-too-deep'
    | 'request-invalid'
    | 'field-unknown'
    | 'content-encoding-unsupported'
    | 'binary-length-invalid'
    | 'input-missing'
    | 'input-unknown'
    | 'output-unknown'
    | 'datatype-mismatch'
    | 'datatype-unsupported'
    | 'shape-mismatch'
    | 'element-count-mismatch'
    | 'element-invalid'
    | 'value-out-of-range'
    | 'value-not-finite'
    | 'text-invalid'
    | 'input-too-large'
    | 'header-invalid'
    | 'deadline-too-short'
    | 'idempotency-key-reused'
    | 'idempotency-in-flight'
    | 'state-conflict'
    | 'already-exists'
    | 'quota-exceeded'
    | 'in-flight-exceeded'
    | 'compute-budget-exceeded'
    | 'version-unavailable'
    | 'pool-unavailable'
    | 'overloaded'
    | 'draining'
    | 'prediction-cancelled'
    | 'prediction-expired'
    | 'prediction-timeout'
    | 'prediction-failed'
    | 'runner-crashed'
    | 'input-quarantined'
    | 'model-load-failed'
    | 'artifact-missing'
    | 'artifact-damaged'
    | 'feedback-not-kept'
    | 'feedback-conflict'
    | 'feedback-too-late'
    | 'label-unknown'
    | 'manifest-invalid'
    | 'model-invalid'
    | 'golden-mismatch'
    | 'golden-invalid'
    | 'reference-invalid'
    | 'reference-missing'
    | 'model-external-data'
    | 'model-output-unsupported'
    | 'model-constant'
    | 'model-crashes'
    | 'tokenizer-invalid'
    | 'validation-timeout'
    | 'validation-failed'
    | 'release-plan-invalid'
    | 'release-incompatible'
    | 'release-verb-refused'
    | 'data-erased'
    | 'record-damaged'
    | 'storage-unavailable'
    | 'storage-misconfigured'
    | 'internal';
  attempts: number;
  redrivable: boolean;
  at: string;
}
export interface Redriven {
  /**
   * Id of a prediction, from Location or the 202 body.
   */
  prediction: string;
  redrive_of: string;
}
export interface AuditEntry {
  seq: number;
  at: string;
  by: string;
  role: string;
  tenant: string | null;
  action: string;
  target: {
    [k: string]: string;
  };
  outcome: 'done' | 'refused' | 'failed' | 'begun';
  status: number | null;
  code: string | null;
  reason: string | null;
  skipped: number | null;
  hash: string;
}
export interface AuditVerification {
  ok: boolean;
  entries: number;
  from_seq: number;
  until_seq: number;
  complete: boolean;
  head: {
    seq: number;
    hash: string;
  } | null;
  broken_at_seq: number | null;
  why: string | null;
}
export interface LogLevel {
  level: ('debug' | 'info' | 'warn' | 'error') | null;
  until: string | null;
  by: string | null;
}
export interface LogLevelPut {
  level: 'debug' | 'info' | 'warn' | 'error';
  minutes: number;
}
export interface WebhookCreate {
  url: string;
  /**
   * @minItems 1
   */
  events?: ('prediction.succeeded' | 'prediction.failed')[];
}
export interface WebhookPatch {
  url?: string;
  /**
   * @minItems 1
   */
  events?: ('prediction.succeeded' | 'prediction.failed')[];
  disabled?: 'no' | 'by-tenant';
}
export interface WebhookTested {
  delivered: boolean;
  result: string;
}
export interface WebhookDelivery {
  /**
   * Id of a delivery: the webhook-id of its message.
   */
  id: string;
  /**
   * Id of a prediction, from Location or the 202 body.
   */
  prediction: string;
  event:
    | 'prediction.succeeded'
    | 'prediction.failed'
    | 'release.changed'
    | 'model.drifted'
    | 'model.retraining_due'
    | 'alarm.changed';
  state: 'waiting' | 'delivered' | 'given-up';
  attempts: number;
  last_result: string | null;
  created_at_ms: number;
  due_at_ms: number | null;
}
export interface SyntheticCheck {
  check: string;
  at: string;
  ok: boolean;
  status: number;
  ms: number;
  region: string;
}
export interface Cost {
  from: string;
  until: string;
  by: 'day' | 'tenant' | 'model' | 'version' | 'pool';
  currency: 'USD';
  total_usd: number;
  idle_usd: number;
  idle_share: number;
  gpu_idle_share: number | null;
  items: CostItem[];
  rest: Spent | null;
}
export interface CostItem {
  day?: string;
  tenant?: string | null;
  /**
   * Name of a model.
   */
  model?: string;
  /**
   * Number of a version.
   */
  version?: string;
  pool?: string;
  cost_usd: number;
  compute_s: number;
  rows: number;
  requests: number;
  usd_per_thousand: number | null;
  idle_usd?: number;
  idle_share?: number;
  worker_hours?: number;
  gpu?: boolean;
  instances?: string[];
  cache_hits?: number;
}
export interface Spent {
  cost_usd: number;
  compute_s: number;
  rows: number;
  requests: number;
  usd_per_thousand: number | null;
}
export interface TenantCost {
  tenant: string;
  from: string;
  until: string;
  by: 'day' | 'tenant' | 'model' | 'version' | 'pool';
  currency: 'USD';
  total_usd: number;
  items: TenantCostItem[];
  rest: Spent | null;
}
export interface TenantCostItem {
  day?: string;
  /**
   * Name of a model.
   */
  model?: string;
  cost_usd: number;
  compute_s: number;
  rows: number;
  requests: number;
  usd_per_thousand: number | null;
}
export interface Budget {
  scope: string;
  usd_per_day: number | null;
  usd_per_month: number | null;
  /**
   * @minItems 1
   * @maxItems 10
   */
  alarm_at: number[];
  epoch: number;
  spent_day_usd: number;
  spent_month_usd: number | null;
  spent_share: number;
  reached: number | null;
  state: 'ok' | 'alarm';
}
export interface BudgetPut {
  scope: string;
  usd_per_day?: number;
  usd_per_month?: number;
  /**
   * @minItems 1
   * @maxItems 10
   */
  alarm_at?: number[];
  epoch?: number;
}
export interface Orphans {
  at: string;
  days: number;
  items: (
    | {
        kind: 'model';
        /**
         * Name of a model.
         */
        model: string;
        /**
         * Number of a version.
         */
        version: string;
        pushed_at: string;
      }
    | {
        kind: 'version';
        /**
         * Name of a model.
         */
        model: string;
        /**
         * Number of a version.
         */
        version: string;
        pushed_at: string;
      }
    | {
        kind: 'pool';
        pool: string;
        cost_usd: number;
      }
  )[];
  has_more: boolean;
}
export interface Session {
  id: string;
  role: 'tenant-user' | 'tenant-admin' | 'operator' | 'admin';
  tenant: string | null;
  models: string[] | null;
  region: string;
}
/**
 * RFC 9457. Members beyond these are facts of the failure, in snake_case.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Problem".
 */
export interface Problem {
  type: string;
  title: string;
  status: 400 | 401 | 403 | 404 | 405 | 409 | 410 | 413 | 415 | 421 | 422 | 429 | 431 | 500 | 502 | 503 | 504;
  detail: string;
  instance: string;
  code:
    | 'credentials-missing'
    | 'credentials-invalid'
    | 'credentials-expired'
    | 'issuer-unknown'
    | 'issuer-unavailable'
    | 'forbidden'
    | 'wrong-region'
    | 'region-unavailable'
    | 'route-unknown'
    | 'method-unsupported'
    | 'tenant-unknown'
    | 'model-unknown'
    | 'version-unknown'
    | 'version-not-ready'
    | 'prediction-unknown'
    | 'key-unknown'
    | 'plan-unknown'
    | 'pool-unknown'
    | 'webhook-unknown'
    | 'delivery-unknown'
    | 'webhook-limit-reached'
    | 'webhook-url-refused'
    | 'validation-unknown'
    | 'dead-letter-unknown'
    | 'dead-letter-empty'
    | 'release-unknown'
    | 'upload-unknown'
    | 'body-too-large'
    | 'body-incomplete'
    | 'headers-too-large'
    | 'json-invalid'
    | 'json-too-deep'
    | 'request-invalid'
    | 'field-unknown'
    | 'content-encoding-unsupported'
    | 'binary-length-invalid'
    | 'input-missing'
    | 'input-unknown'
    | 'output-unknown'
    | 'datatype-mismatch'
    | 'datatype-unsupported'
    | 'shape-mismatch'
    | 'element-count-mismatch'
    | 'element-invalid'
    | 'value-out-of-range'
    | 'value-not-finite'
    | 'text-invalid'
    | 'input-too-large'
    | 'header-invalid'
    | 'deadline-too-short'
    | 'idempotency-key-reused'
    | 'idempotency-in-flight'
    | 'state-conflict'
    | 'already-exists'
    | 'quota-exceeded'
    | 'in-flight-exceeded'
    | 'compute-budget-exceeded'
    | 'version-unavailable'
    | 'pool-unavailable'
    | 'overloaded'
    | 'draining'
    | 'prediction-cancelled'
    | 'prediction-expired'
    | 'prediction-timeout'
    | 'prediction-failed'
    | 'runner-crashed'
    | 'input-quarantined'
    | 'model-load-failed'
    | 'artifact-missing'
    | 'artifact-damaged'
    | 'feedback-not-kept'
    | 'feedback-conflict'
    | 'feedback-too-late'
    | 'label-unknown'
    | 'manifest-invalid'
    | 'model-invalid'
    | 'golden-mismatch'
    | 'golden-invalid'
    | 'reference-invalid'
    | 'reference-missing'
    | 'model-external-data'
    | 'model-output-unsupported'
    | 'model-constant'
    | 'model-crashes'
    | 'tokenizer-invalid'
    | 'validation-timeout'
    | 'validation-failed'
    | 'release-plan-invalid'
    | 'release-incompatible'
    | 'release-verb-refused'
    | 'data-erased'
    | 'record-damaged'
    | 'storage-unavailable'
    | 'storage-misconfigured'
    | 'internal';
  request_id: string;
  retryable: boolean;
  advice: string;
  /**
   * What to correct.
   */
  field?: string;
  /**
   * On /v2: what clients of the Open Inference Protocol read.
   */
  error?: string;
}

/** Method and path of each operation, and the error status that is an answer of it, if there is one. */
export const OPERATIONS = {
  'server-metadata': ['GET', '/v2'],
  'server-live': ['GET', '/v2/health/live'],
  'server-ready': ['GET', '/v2/health/ready', 503],
  'model-list': ['GET', '/v2/models'],
  'model-metadata': ['GET', '/v2/models/{model}'],
  'version-metadata': ['GET', '/v2/models/{model}/versions/{version}'],
  'model-ready': ['GET', '/v2/models/{model}/ready', 503],
  'version-ready': ['GET', '/v2/models/{model}/versions/{version}/ready', 503],
  infer: ['POST', '/v2/models/{model}/infer'],
  'version-infer': ['POST', '/v2/models/{model}/versions/{version}/infer'],
  'prediction-read': ['GET', '/v2/predictions/{prediction}'],
  'prediction-cancel': ['DELETE', '/v2/predictions/{prediction}'],
  openapi: ['GET', '/openapi.json'],
  'tenant-create': ['POST', '/control/v1/tenants'],
  'tenant-list': ['GET', '/control/v1/tenants'],
  'tenant-read': ['GET', '/control/v1/tenants/{tenant}'],
  'tenant-patch': ['PATCH', '/control/v1/tenants/{tenant}'],
  'tenant-remove': ['DELETE', '/control/v1/tenants/{tenant}'],
  'tenant-erase': ['DELETE', '/control/v1/tenants/{tenant}/data'],
  'capture-consent-put': ['PUT', '/control/v1/tenants/{tenant}/capture-consent'],
  'tenant-usage': ['GET', '/control/v1/tenants/{tenant}/usage'],
  'key-create': ['POST', '/control/v1/tenants/{tenant}/keys'],
  'key-list': ['GET', '/control/v1/tenants/{tenant}/keys'],
  'key-revoke': ['DELETE', '/control/v1/tenants/{tenant}/keys/{key}'],
  'browser-token-create': ['POST', '/control/v1/tenants/{tenant}/browser-tokens'],
  'operator-key-create': ['POST', '/control/v1/operator-keys'],
  'operator-key-list': ['GET', '/control/v1/operator-keys'],
  'operator-key-revoke': ['DELETE', '/control/v1/operator-keys/{key}'],
  'plan-list': ['GET', '/control/v1/plans'],
  'plan-put': ['PUT', '/control/v1/plans/{plan}'],
  'issuer-list': ['GET', '/control/v1/issuers'],
  'issuer-put': ['PUT', '/control/v1/issuers'],
  'issuer-remove': ['DELETE', '/control/v1/issuers'],
  'upload-create': ['POST', '/control/v1/uploads'],
  'upload-receive': ['PUT', '/uploads/{upload}'],
  'version-push': ['POST', '/control/v1/models/{model}/versions'],
  'version-list': ['GET', '/control/v1/models/{model}/versions'],
  'validation-list': ['GET', '/control/v1/models/{model}/validations'],
  'validation-read': ['GET', '/control/v1/models/{model}/validations/{validation}'],
  'version-read': ['GET', '/control/v1/models/{model}/versions/{version}'],
  'model-replay': ['POST', '/control/v1/models/{model}/replays'],
  'model-route-list': ['GET', '/control/v1/models'],
  'model-read': ['GET', '/control/v1/models/{model}'],
  'stable-put': ['PUT', '/control/v1/models/{model}/stable'],
  overview: ['GET', '/control/v1/overview'],
  'model-metrics': ['GET', '/control/v1/models/{model}/metrics'],
  'feedback-give': ['POST', '/v2/predictions/{prediction}/feedback'],
  'model-feedback': ['GET', '/control/v1/models/{model}/feedback'],
  'tenant-feedback': ['GET', '/control/v1/tenants/{tenant}/models/{model}/feedback'],
  'release-start': ['POST', '/control/v1/models/{model}/releases'],
  'release-list': ['GET', '/control/v1/models/{model}/releases'],
  'release-list-all': ['GET', '/control/v1/releases'],
  'release-read': ['GET', '/control/v1/releases/{release}'],
  'release-audit-list': ['GET', '/control/v1/releases/{release}/audits'],
  'release-verb': ['POST', '/control/v1/releases/{release}/verbs'],
  'pin-put': ['PUT', '/control/v1/tenants/{tenant}/pins/{model}'],
  'pin-remove': ['DELETE', '/control/v1/tenants/{tenant}/pins/{model}'],
  'notice-webhook-create': ['POST', '/control/v1/notice-webhooks'],
  'notice-webhook-list': ['GET', '/control/v1/notice-webhooks'],
  'notice-webhook-remove': ['DELETE', '/control/v1/notice-webhooks/{webhook}'],
  'quality-read': ['GET', '/control/v1/models/{model}/quality'],
  'quality-check': ['POST', '/control/v1/models/{model}/quality/checks'],
  'quality-reference-put': ['PUT', '/control/v1/models/{model}/quality/reference'],
  'tenant-quality-read': ['GET', '/control/v1/tenants/{tenant}/models/{model}/quality'],
  'pool-list': ['GET', '/control/v1/pools'],
  'dead-letter-list': ['GET', '/control/v1/dead-letters'],
  'tenant-dead-letter-list': ['GET', '/control/v1/tenants/{tenant}/dead-letters'],
  'dead-letter-redrive': ['POST', '/control/v1/tenants/{tenant}/dead-letters/{letter}/redrive'],
  'dead-letter-discard': ['DELETE', '/control/v1/tenants/{tenant}/dead-letters/{letter}'],
  'audit-list': ['GET', '/control/v1/audit'],
  'tenant-audit-list': ['GET', '/control/v1/tenants/{tenant}/audit'],
  'audit-verify': ['GET', '/control/v1/audit/verification'],
  'log-level-read': ['GET', '/control/v1/log-level'],
  'log-level-put': ['PUT', '/control/v1/log-level'],
  'webhook-create': ['POST', '/control/v1/tenants/{tenant}/webhooks'],
  'webhook-list': ['GET', '/control/v1/tenants/{tenant}/webhooks'],
  'webhook-read': ['GET', '/control/v1/tenants/{tenant}/webhooks/{webhook}'],
  'webhook-patch': ['PATCH', '/control/v1/tenants/{tenant}/webhooks/{webhook}'],
  'webhook-remove': ['DELETE', '/control/v1/tenants/{tenant}/webhooks/{webhook}'],
  'webhook-secret-rotate': ['POST', '/control/v1/tenants/{tenant}/webhooks/{webhook}/rotate-secret'],
  'webhook-test': ['POST', '/control/v1/tenants/{tenant}/webhooks/{webhook}/test'],
  'delivery-list': ['GET', '/control/v1/tenants/{tenant}/webhooks/{webhook}/deliveries'],
  'delivery-replay': ['POST', '/control/v1/tenants/{tenant}/webhooks/{webhook}/deliveries/{delivery}/replay'],
  'alarm-list': ['GET', '/control/v1/alarms'],
  'check-list': ['GET', '/control/v1/checks'],
  'cost-read': ['GET', '/control/v1/cost'],
  'tenant-cost-read': ['GET', '/control/v1/tenants/{tenant}/cost'],
  'budget-list': ['GET', '/control/v1/budgets'],
  'budget-put': ['PUT', '/control/v1/budgets'],
  'budget-remove': ['DELETE', '/control/v1/budgets'],
  'orphan-list': ['GET', '/control/v1/orphans'],
  'session-read': ['GET', '/control/v1/session'],
} as const satisfies Record<keyof Operations, readonly [string, string, number?]>;
