/*
 * The tables. Times are Unix milliseconds. A list item is one schema version: never change one, add the next.
 * Payload (inputs, outputs, what clients wrote) is only ever in `job_payload.sealed`.
 */

/** JSON records by id. `scope` is the tenant that a key is of. */
function recordTable(name: string): string {
  return `
CREATE TABLE ${name} (id TEXT PRIMARY KEY, epoch INTEGER NOT NULL, scope TEXT, record TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX ${name}_scope ON ${name} (scope, id) WHERE scope IS NOT NULL;`;
}

const REGION_V1 = `
CREATE TABLE region_state (name TEXT PRIMARY KEY, value REAL NOT NULL) STRICT, WITHOUT ROWID;

${['tenant', 'plan', 'api_key', 'issuer'].map(recordTable).join('')}
CREATE TABLE model_version (
  model TEXT NOT NULL, version INTEGER NOT NULL, digest TEXT NOT NULL, record TEXT NOT NULL,
  PRIMARY KEY (model, version), UNIQUE (model, digest)
) STRICT;
CREATE TABLE model_route (model TEXT PRIMARY KEY, stable TEXT, epoch INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- A destroyed key leaves its generation behind (wrapped is then zeros), so that what it sealed is known to be erased.
CREATE TABLE data_key (
  tenant TEXT PRIMARY KEY, generation INTEGER NOT NULL, destroyed INTEGER NOT NULL, wrapped BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE job (
  tenant TEXT NOT NULL, id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('submitting', 'queued', 'running', 'ended')),
  attempt INTEGER NOT NULL, created_at_ms REAL NOT NULL, deadline_ms REAL NOT NULL, expires_at_ms REAL NOT NULL,
  PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_unsent ON job (created_at_ms) WHERE state = 'submitting';
CREATE INDEX job_open ON job (tenant) WHERE state <> 'ended';
CREATE INDEX job_expiry ON job (expires_at_ms);
-- Until the job has ended its inputs, then its outcome: apart from job, so that a change of state rewrites no inputs.
CREATE TABLE job_payload (
  tenant TEXT NOT NULL, id TEXT NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (tenant, id)
) STRICT;
-- A message's content is the job's payload.
CREATE TABLE message (
  tenant TEXT NOT NULL, id TEXT NOT NULL, pool TEXT NOT NULL, lane TEXT NOT NULL, PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
  tenant TEXT NOT NULL, principal TEXT NOT NULL, route TEXT NOT NULL, key_sha256 TEXT NOT NULL,
  fingerprint TEXT NOT NULL, job_id TEXT NOT NULL, lease_until_ms REAL NOT NULL, expires_at_ms REAL NOT NULL,
  PRIMARY KEY (tenant, principal, route, key_sha256)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_expiry ON idempotency (expires_at_ms);

CREATE TABLE quarantine (
  tenant TEXT NOT NULL, fingerprint TEXT NOT NULL, reason TEXT NOT NULL, expires_at_ms REAL NOT NULL,
  PRIMARY KEY (tenant, fingerprint)
) STRICT, WITHOUT ROWID;

-- bound_ms and charged_ms are never less than what was granted: see limits.ts.
CREATE TABLE rate (
  tenant TEXT NOT NULL, meter TEXT NOT NULL, bound_ms REAL NOT NULL, PRIMARY KEY (tenant, meter)
) STRICT, WITHOUT ROWID;
CREATE TABLE compute (
  tenant TEXT PRIMARY KEY, day_start_ms REAL NOT NULL, charged_ms REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE upload (
  id TEXT PRIMARY KEY, owner TEXT NOT NULL, token_sha256 TEXT NOT NULL, max_bytes INTEGER NOT NULL,
  received_bytes INTEGER, expires_at_ms REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX upload_expiry ON upload (expires_at_ms);
`;

export const WEBHOOK = `
-- Accepted jobs whose end somebody wants to be told of: the outbox. Names and codes only, nothing of a payload.
CREATE TABLE notice (
  tenant TEXT NOT NULL, id TEXT NOT NULL, model TEXT NOT NULL, version TEXT NOT NULL, failure TEXT, ended_at_ms REAL,
  PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_ended ON notice (ended_at_ms) WHERE ended_at_ms IS NOT NULL;

CREATE TABLE webhook_endpoint (
  tenant TEXT NOT NULL, id TEXT NOT NULL, created_at_ms REAL NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE webhook_delivery (
  tenant TEXT NOT NULL, id TEXT NOT NULL, endpoint TEXT NOT NULL, prediction TEXT NOT NULL, event TEXT NOT NULL,
  body TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL, last_result TEXT,
  created_at_ms REAL NOT NULL, due_at_ms REAL NOT NULL, expires_at_ms REAL NOT NULL, PRIMARY KEY (tenant, id)
) STRICT;
CREATE INDEX webhook_delivery_waiting ON webhook_delivery (tenant, endpoint, due_at_ms) WHERE state = 'waiting';
CREATE INDEX webhook_delivery_recent ON webhook_delivery (tenant, endpoint, created_at_ms);
CREATE INDEX webhook_delivery_expiry ON webhook_delivery (expires_at_ms);
`;

/**
 * Captured predictions: inputs and outputs are in `sealed`. `capture_total` is what each tenant and model has of them, kept by
 * the triggers: summing it up at each write would read thousands of rows.
 */
export const CAPTURE = `
CREATE TABLE capture (
  seq INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL, id TEXT NOT NULL, model TEXT NOT NULL, version TEXT NOT NULL,
  at_ms REAL NOT NULL, expires_at_ms REAL NOT NULL, sealed BLOB NOT NULL,
  UNIQUE (tenant, id)
) STRICT;
CREATE INDEX capture_model ON capture (model, at_ms, seq);
CREATE INDEX capture_tenant ON capture (tenant, model, at_ms, seq);
CREATE INDEX capture_expiry ON capture (expires_at_ms);
CREATE TABLE capture_total (
  tenant TEXT NOT NULL, model TEXT NOT NULL, captures INTEGER NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (tenant, model)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER capture_added AFTER INSERT ON capture BEGIN
  INSERT INTO capture_total VALUES (NEW.tenant, NEW.model, 1, length(NEW.sealed))
    ON CONFLICT DO UPDATE SET captures = captures + 1, bytes = bytes + length(NEW.sealed);
END;
CREATE TRIGGER capture_removed AFTER DELETE ON capture BEGIN
  UPDATE capture_total SET captures = captures - 1, bytes = bytes - length(OLD.sealed)
    WHERE tenant = OLD.tenant AND model = OLD.model;
  DELETE FROM capture_total WHERE tenant = OLD.tenant AND model = OLD.model AND captures = 0;
END;
`;

export const ANSWER = `
-- The response cache. An id is a hash of tenant and request under the tenant's data key; bytes is what the row counts.
CREATE TABLE answer (
  tenant TEXT NOT NULL, id TEXT NOT NULL, sealed BLOB NOT NULL, bytes INTEGER NOT NULL, expires_at_ms REAL NOT NULL,
  PRIMARY KEY (tenant, id)
) STRICT;
CREATE INDEX answer_expiry ON answer (expires_at_ms);
CREATE INDEX answer_tenant_expiry ON answer (tenant, expires_at_ms, bytes);
`;

/** Pushes that are validated (`is_open`), and what became of them. A damaged record is neither open nor readable. */
export const VALIDATION = `
CREATE TABLE validation (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, model TEXT NOT NULL, digest TEXT NOT NULL, epoch INTEGER NOT NULL,
  is_open INTEGER NOT NULL, lease_until_ms REAL NOT NULL, expires_at_ms REAL NOT NULL, record TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX validation_open ON validation (model, digest) WHERE is_open = 1;
CREATE INDEX validation_waiting ON validation (seq) WHERE is_open = 1;
CREATE INDEX validation_model ON validation (model, seq);
CREATE INDEX validation_expiry ON validation (expires_at_ms);
`;

/** One migration: not released yet. */
const REGION_V2 = [WEBHOOK, CAPTURE, ANSWER, VALIDATION].join('');

/** What versions did, as `encodeTelemetry` writes it: a row a report, never changed. */
const TELEMETRY = `
CREATE TABLE telemetry (
  model TEXT NOT NULL, version TEXT NOT NULL, window_start_ms REAL NOT NULL, writer TEXT NOT NULL, sequence INTEGER NOT NULL,
  shard INTEGER NOT NULL, encoded TEXT NOT NULL,
  PRIMARY KEY (model, version, window_start_ms, writer, sequence, shard)
) STRICT;
CREATE INDEX telemetry_expiry ON telemetry (window_start_ms);
`;

/** Releases, which of a model's is the latest (at most one of a model is active; open ones are driven), and what was done to each by whom. */
const RELEASE = `
CREATE TABLE release (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, model TEXT NOT NULL, epoch INTEGER NOT NULL, record TEXT NOT NULL
) STRICT;
CREATE INDEX release_model ON release (model, seq);
CREATE TABLE latest_release (
  model TEXT PRIMARY KEY, release TEXT NOT NULL, is_active INTEGER NOT NULL, is_open INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX latest_release_open ON latest_release (model) WHERE is_open = 1;
CREATE TABLE release_audit (seq INTEGER PRIMARY KEY, release TEXT NOT NULL, record TEXT NOT NULL) STRICT;
CREATE INDEX release_audit_release ON release_audit (release, seq);
`;

/** What workers computed, as `encodeMeter` writes it: a row a part of a writer's day. */
const METER = `
CREATE TABLE meter (
  day INTEGER NOT NULL, writer TEXT NOT NULL, part INTEGER NOT NULL, up_ms REAL NOT NULL, encoded TEXT NOT NULL,
  PRIMARY KEY (day, writer, part)
) STRICT;
`;

/** The same added up, by tenant, and which days are. */
const METER_SUM = `
CREATE TABLE tenant_day (tenant TEXT NOT NULL, day INTEGER NOT NULL, encoded TEXT NOT NULL, PRIMARY KEY (tenant, day)) STRICT, WITHOUT ROWID;
CREATE INDEX tenant_day_expiry ON tenant_day (day);
CREATE TABLE meter_summed (id INTEGER PRIMARY KEY CHECK (id = 1), since INTEGER NOT NULL, until INTEGER NOT NULL) STRICT;
`;

/**
 * Answered predictions whose truth may come, the truth, and what it came to by day: labels are in `sealed` and `given` alone. `kept_prediction_total`
 * is what each tenant and model has of them: who inserts adds up, the trigger takes away.
 */
const FEEDBACK = `
CREATE TABLE kept_prediction (
  seq INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL, id TEXT NOT NULL, model TEXT NOT NULL, version TEXT NOT NULL,
  at_ms REAL NOT NULL, expires_at_ms REAL NOT NULL, sealed BLOB NOT NULL, given BLOB,
  UNIQUE (tenant, id)
) STRICT;
CREATE INDEX kept_prediction_expiry ON kept_prediction (expires_at_ms);
CREATE TABLE kept_prediction_total (
  tenant TEXT NOT NULL, model TEXT NOT NULL, predictions INTEGER NOT NULL, PRIMARY KEY (tenant, model)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER kept_prediction_removed AFTER DELETE ON kept_prediction BEGIN
  UPDATE kept_prediction_total SET predictions = predictions - 1 WHERE tenant = OLD.tenant AND model = OLD.model;
  DELETE FROM kept_prediction_total WHERE tenant = OLD.tenant AND model = OLD.model AND predictions = 0;
END;
CREATE TABLE feedback_tally (
  seq INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL, model TEXT NOT NULL, version TEXT NOT NULL, day_ms REAL NOT NULL, sealed BLOB NOT NULL,
  UNIQUE (tenant, model, version, day_ms)
) STRICT;
CREATE INDEX feedback_tally_expiry ON feedback_tally (day_ms);
`;

/** Telemetry of whole minutes and hours, as `encodeTelemetry` writes it; how far it goes is in `region_state` as `rolled-…`. */
const ROLL_UP = `
CREATE TABLE telemetry_roll_up (
  span TEXT NOT NULL, model TEXT NOT NULL, version TEXT NOT NULL, start_ms REAL NOT NULL, reports INTEGER NOT NULL, encoded TEXT NOT NULL,
  PRIMARY KEY (span, model, version, start_ms)
) STRICT;
CREATE INDEX telemetry_roll_up_expiry ON telemetry_roll_up (span, start_ms);
`;

/** What was measured last, with the state of every alarm: one row. */
const WATCH = `
CREATE TABLE watch (one INTEGER PRIMARY KEY CHECK (one = 1), at_ms REAL NOT NULL, record TEXT NOT NULL) STRICT;
`;

/** What was asked of the region that changes something, in a chain (`AuditEntry` as JSON), and apart from it where it ends. */
const AUDIT = `
CREATE TABLE audit (seq INTEGER PRIMARY KEY, at_ms REAL NOT NULL, tenant TEXT, record TEXT NOT NULL) STRICT;
CREATE INDEX audit_tenant ON audit (tenant, seq) WHERE tenant IS NOT NULL;
CREATE TABLE audit_head (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL) STRICT;
`;

/** Accepted predictions that nobody could handle, each with its job in `sealed` if that can be read. */
const DEAD_LETTER = `
CREATE TABLE dead_letter (
  seq INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL, id TEXT NOT NULL, prediction TEXT NOT NULL, model TEXT, version TEXT,
  pool TEXT NOT NULL, lane TEXT NOT NULL, reason TEXT NOT NULL, attempts INTEGER NOT NULL, at_ms REAL NOT NULL, sealed BLOB,
  UNIQUE (tenant, id)
) STRICT;
CREATE INDEX dead_letter_tenant ON dead_letter (tenant, seq);
CREATE INDEX dead_letter_expiry ON dead_letter (at_ms);
`;

/**
 * What versions were found to be like beside their references: `summary` is what is read of all together. Times are ends of windows, or of the last
 * look.
 */
const QUALITY = `
CREATE TABLE quality_state (
  model TEXT NOT NULL, version TEXT NOT NULL, epoch INTEGER NOT NULL, checked_at_ms REAL NOT NULL, summary TEXT NOT NULL, record TEXT NOT NULL,
  PRIMARY KEY (model, version)
) STRICT;
CREATE TABLE quality_window (
  model TEXT NOT NULL, version TEXT NOT NULL, until_ms REAL NOT NULL, record TEXT NOT NULL, PRIMARY KEY (model, version, until_ms)
) STRICT;
CREATE INDEX quality_window_expiry ON quality_window (until_ms);
CREATE TABLE quality_reference (
  model TEXT NOT NULL, version TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (model, version)
) STRICT;
`;

/** What may be spent; an id is its scope. */
const BUDGET = `
CREATE TABLE budget (id TEXT PRIMARY KEY, epoch INTEGER NOT NULL, scope TEXT, record TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

/** Every version that was ever reported of: which of them were of late is found without a look at the reports of the others. */
const REPORTED_VERSION = `
CREATE TABLE reported_version (model TEXT NOT NULL, version TEXT NOT NULL, PRIMARY KEY (model, version)) STRICT, WITHOUT ROWID;
INSERT INTO reported_version SELECT DISTINCT model, version FROM telemetry;
`;

const LOG_LEVEL = `
CREATE TABLE log_level (
  id INTEGER PRIMARY KEY CHECK (id = 1), level TEXT NOT NULL, until_ms REAL NOT NULL, by_whom TEXT NOT NULL
) STRICT;
`;

const DIRECTORY_V1 = `
CREATE TABLE home (
  tenant TEXT PRIMARY KEY, region TEXT NOT NULL, wrong_region TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`;

export const REGION_MIGRATIONS: readonly string[] = [
  REGION_V1,
  REGION_V2,
  TELEMETRY,
  RELEASE,
  METER,
  FEEDBACK,
  ROLL_UP,
  AUDIT,
  DEAD_LETTER,
  WATCH,
  QUALITY,
  BUDGET,
  REPORTED_VERSION,
  LOG_LEVEL,
  METER_SUM,
];
export const DIRECTORY_MIGRATIONS: readonly string[] = [DIRECTORY_V1];
