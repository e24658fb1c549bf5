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

const DIRECTORY_V1 = `
CREATE TABLE home (
  tenant TEXT PRIMARY KEY, region TEXT NOT NULL, wrong_region TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`;

export const REGION_MIGRATIONS: readonly string[] = [REGION_V1];
export const DIRECTORY_MIGRATIONS: readonly string[] = [DIRECTORY_V1];
