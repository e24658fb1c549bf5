import { createHash } from 'node:crypto';
import type { DeadLetter } from '../../core/ports/dead-letters.ts';
import type { IdempotencyKey } from '../../core/ports/idempotency.ts';
import type { MeterRecord } from '../../core/ports/meters.ts';
import type { RollUp, RollUpSpan, TelemetryItem, VersionName } from '../../core/ports/telemetry.ts';
import { DAY_MS, MINUTE_MS } from '../../core/units.ts';

/*
 * Every key of every table, each with what is asked by it. Nothing else in this repository puts a key together.
 * A part that clients write is hashed, so that no separator of theirs can name another's item.
 */
export type Key = { readonly pk: string; readonly sk: string };

/** What grows with the customers is spread over this many partitions. */
export const LIST_SHARDS = 16;

/** Directory: one item a tenant, read and written by id. */
export function homeKey(tenant: string): Key {
  return { pk: `tenant#${tenant}`, sk: 'home' };
}

/** Limits: all of a tenant's, erased together. */
export function limitsPartition(tenant: string): string {
  return `tenant#${tenant}`;
}

/** Limits: one item a tenant and meter, changed on one condition. */
export function rateKey(tenant: string, meter: string): Key {
  return { pk: limitsPartition(tenant), sk: `rate#${meter}` };
}

/** Limits: one item a tenant with its places in flight and the compute of the day. */
export function computeKey(tenant: string): Key {
  return { pk: limitsPartition(tenant), sk: 'compute' };
}

/** Limits: one item a tenant with the places of those who wait for an answer. */
export function waitingKey(tenant: string): Key {
  return { pk: limitsPartition(tenant), sk: 'waiting' };
}

/** Limits: one item a reservation, taken by the one who settles it. */
export function reservationKey(tenant: string, id: string): Key {
  return { pk: limitsPartition(tenant), sk: `reservation#${id}` };
}

/** Jobs: one item a job, read and changed by tenant and id, erased by tenant. */
export function jobKey(tenant: string, id: string): Key {
  return { pk: jobsPartition(tenant), sk: id };
}

export function jobsPartition(tenant: string): string {
  return `jobs#${tenant}`;
}

/*
 * Jobs: indexes that hold only the few items with both of their attributes, so that a job's state and its place in an index
 * are one write. Spread over sixteen partitions, as one takes a thousand writes a second and a job costs it four at the most.
 */
export type Index = {
  readonly name: string;
  readonly partition: string;
  readonly order: string;
  /** Attributes that are read from the index; the keys come always. */
  readonly included: readonly string[];
};

/** Jobs that may not have reached the queue, longest first. */
export const UNSENT_INDEX: Index = { name: 'unsent', partition: 'unsent', order: 'createdAtMs', included: [] };

/** Jobs whose end is to be told, by when: they enter it when they end, as only then they have its order. */
export const NOTICE_INDEX: Index = {
  name: 'notice',
  partition: 'notice',
  order: 'noticeAtMs',
  included: ['model', 'modelVersion', 'failure', 'endedAtMs', 'expiresAtMs'],
};

/** Captures of a tenant and model, and of a model in the shard of its tenant, the newest first. */
export const CAPTURE_TENANT_INDEX: Index = captureIndex('capture-tenant', 'ofTenant');
export const CAPTURE_MODEL_INDEX: Index = captureIndex('capture-model', 'ofModel');

/** All indexes of the jobs table. */
export const JOBS_INDEXES: readonly Index[] = [UNSENT_INDEX, NOTICE_INDEX, CAPTURE_TENANT_INDEX, CAPTURE_MODEL_INDEX];

/** The partition of an index that an item with this id is in. */
export function indexShard(id: string): string {
  return String(shardOf(id));
}

export const INDEX_SHARDS: readonly string[] = Array.from({ length: LIST_SHARDS }, (_, shard) => String(shard));

/** S3: payloads that are too large for a table or a queue; `what` tells them apart. */
export function blobKey(tenant: string, what: string): string {
  return `${blobPrefix(tenant)}${what}`;
}

/** S3: all of a tenant's, erased together. */
export function blobPrefix(tenant: string): string {
  return `tenants/${tenant}/`;
}

/** S3: one object a model file, by its digest. */
export function artifactKey(digest: string): string {
  return `artifacts/${digest}`;
}

/** S3: one object an upload, found by its owner alone; the bucket forgets it after a day. */
export function uploadKey(owner: string, id: string): string {
  return `uploads/${createHash('sha256').update(owner).digest('hex')}/${id}`;
}

/** Jobs: all that a tenant's key claims; found by it, erased by tenant. */
export function idempotencyKey({ tenant, principal, route, key }: IdempotencyKey): Key {
  const digest = createHash('sha256')
    .update(JSON.stringify([principal, route, key]))
    .digest('hex');
  return { pk: idempotencyPartition(tenant), sk: digest };
}

export function idempotencyPartition(tenant: string): string {
  return `idempotency#${tenant}`;
}

/** Jobs: a tenant's kept answers, each by a keyed hash of what was asked; erased by tenant. */
export function answerKey(tenant: string, id: string): Key {
  return { pk: answersPartition(tenant), sk: id };
}

export function answersPartition(tenant: string): string {
  return `answers#${tenant}`;
}

/** Jobs: a tenant's quarantined inputs, read whole where there are any. */
export function quarantineKey(tenant: string, fingerprint: string): Key {
  return { pk: quarantinePartition(tenant), sk: fingerprint };
}

export function quarantinePartition(tenant: string): string {
  return `quarantine#${tenant}`;
}

/** Jobs: captured predictions by id, listed by their indexes, erased by tenant. */
export function captureKey(tenant: string, id: string): Key {
  return { pk: capturesPartition(tenant), sk: id };
}

export function capturesPartition(tenant: string): string {
  return `captures#${tenant}`;
}

/** Jobs: until when a tenant's predictions have left no captures; read after each one that is written. */
export function captureErasureKey(tenant: string): Key {
  return { pk: `capture-erasure#${tenant}`, sk: 'erasure' };
}

/*
 * Jobs: answers whose truth may come, by id; the truth beside them, so that an answer that is written again takes none away; and what it comes to by version
 * and day, in several parts, as each is one item that every write of its day replaces. All of a tenant's in one partition, erased together.
 */
export function feedbackPartition(tenant: string): string {
  return `feedback#${tenant}`;
}

export function keptPredictionKey(tenant: string, id: string): Key {
  return { pk: feedbackPartition(tenant), sk: `prediction#${id}` };
}

export function truthKey(tenant: string, id: string): Key {
  return { pk: feedbackPartition(tenant), sk: `truth#${id}` };
}

const TALLY_PARTS = 4;

export function tallyPart(id: string): number {
  return shardOf(id) % TALLY_PARTS;
}

export function feedbackTallyKey(tenant: string, version: string, dayMs: number, part: number): Key {
  return { pk: feedbackPartition(tenant), sk: `${feedbackTallyBound(version, dayMs)}#${part}` };
}

/** Before every tally of `model@version` that is of that day or later. */
export function feedbackTallyBound(version: string, dayMs: number): string {
  return `tally#${version}#${telemetryBound(dayMs)}`;
}

/** Jobs: until when a tenant's predictions have left no feedback; read after those that are written. */
export function feedbackErasureKey(tenant: string): Key {
  return { pk: `feedback-erasure#${tenant}`, sk: 'erasure' };
}

/** Of `CAPTURE_TENANT_INDEX`. */
export function captureTenantPartition(tenant: string, model: string): string {
  return `${tenant}/${model}`;
}

/** Of `CAPTURE_MODEL_INDEX`: a tenant's are all in one of its shards. */
export function captureModelPartition(model: string, shard: number): string {
  return `${shard}/${model}`;
}

export function captureShard(tenant: string): number {
  return shardOf(tenant);
}

/** Days after which the bucket deletes what lies under `captures/<days>/`: captures are kept for a year at the most. */
export const CAPTURE_BLOB_DAYS = [1, 7, 30, 90, 365] as const;

/** S3: a large capture, where it is deleted soon after its expiry. */
export function captureBlobKey(tenant: string, keptDays: number, what: string): string {
  const days = CAPTURE_BLOB_DAYS.find((most) => keptDays <= most) ?? CAPTURE_BLOB_DAYS.at(-1)!;
  return `captures/${days}/${tenant}/${what}`;
}

/** S3: all of a tenant's large captures, erased together. */
export function captureBlobPrefixes(tenant: string): readonly string[] {
  return CAPTURE_BLOB_DAYS.map((days) => `captures/${days}/${tenant}/`);
}

/** Control: heartbeats of a pool's workers, read together. */
export function heartbeatKey(pool: string, worker: string): Key {
  return { pk: heartbeatPartition(pool), sk: worker };
}

export function heartbeatPartition(pool: string): string {
  return `heartbeat#${pool}`;
}

/** Control: one item a pool, by which starts of its workers are asked for once a minute and measured. */
export function wakeKey(pool: string): Key {
  return { pk: `wake#${pool}`, sk: 'wake' };
}

/** DataKeys: one item a tenant, in a table of its own without backups. */
export function dataKeyKey(tenant: string): Key {
  return { pk: `tenant#${tenant}`, sk: 'data-key' };
}

/*
 * Control: a record lies in a partition of its own, where it is read; that it exists is noted in a list of its kind, which is
 * only read to show it. Lists that grow with the customers are spread over sixteen partitions.
 */
export type RecordKind = 'tenant' | 'plan' | 'key' | 'issuer' | 'route' | 'budget';

export function recordKey(kind: RecordKind, id: string): Key {
  return { pk: `${kind}#${id}`, sk: 'record' };
}

/** `scope` is the tenant that a key is of; '' where there is none. */
export function listKey(kind: RecordKind, id: string, scope = ''): Key {
  return { pk: listPartition(kind, scope, shardOf(id)), sk: id };
}

export function listPartition(kind: RecordKind, scope: string, shard: number): string {
  return `list#${kind}#${scope}#${shard}`;
}

/** Control: versions of a model, in order of their number. */
export function versionKey(model: string, version: number): Key {
  return { pk: versionPartition(model), sk: String(version).padStart(9, '0') };
}

export function versionPartition(model: string): string {
  return `versions#${model}`;
}

/** Control: which version a push with this digest became. */
export function digestKey(model: string, digest: string): Key {
  return { pk: `digest#${model}`, sk: digest };
}

/*
 * Control: a validation lies in a partition of its own, where it is read. It is listed by model, oldest first, among the open
 * ones of all models as long as it is one, and holds its digest meanwhile, so that one push is validated once.
 */
export function validationKey(id: string): Key {
  return { pk: `validation#${id}`, sk: 'record' };
}

export function validationListKey(model: string, createdAtMs: number, id: string): Key {
  return { pk: validationListPartition(model), sk: inOrder(createdAtMs, id) };
}

export function validationListPartition(model: string): string {
  return `validations#${model}`;
}

/** Pushes that are validated at this moment are few: one partition, read in order. */
export const OPEN_VALIDATIONS = 'open-validations';

export function openValidationKey(createdAtMs: number, id: string): Key {
  return { pk: OPEN_VALIDATIONS, sk: inOrder(createdAtMs, id) };
}

export function openDigestKey(model: string, digest: string): Key {
  return { pk: `open-digest#${model}`, sk: digest };
}

/*
 * Control: a release lies in a partition of its own, where it is read by id, and is listed by model, oldest first. Of each model one item holds its latest
 * release whole; the models with an open one are in one partition, as they are few.
 */
export function releaseKey(id: string): Key {
  return { pk: `release#${id}`, sk: 'record' };
}

export function releaseListKey(model: string, startedAtMs: number, id: string): Key {
  return { pk: releaseListPartition(model), sk: inOrder(Math.floor(startedAtMs), id) };
}

export function releaseListPartition(model: string): string {
  return `releases#${model}`;
}

/** Releases of all models, oldest first: people start them, a few a minute at the most. */
export const ALL_RELEASES = 'all-releases';

export function allReleasesKey(startedAtMs: number, id: string): Key {
  return { pk: ALL_RELEASES, sk: inOrder(Math.floor(startedAtMs), id) };
}

export function latestReleaseKey(model: string): Key {
  return { pk: `latest-release#${model}`, sk: 'latest' };
}

export const OPEN_RELEASES = 'open-releases';

export function openReleaseKey(model: string): Key {
  return { pk: OPEN_RELEASES, sk: model };
}

/** Control: what was done to a release, in order; `at` tells apart what one change did. */
export function releaseAuditKey(release: string, epoch: number, at: number): Key {
  return { pk: releaseAuditPartition(release), sk: `${String(epoch).padStart(9, '0')}#${String(at).padStart(3, '0')}` };
}

export function releaseAuditPartition(release: string): string {
  return `release-audit#${release}`;
}

/** Control: what processes log for a while; read by each of them twice a minute. */
export const LOG_LEVEL_KEY: Key = { pk: 'log-level', sk: 'change' };

/*
 * Control: the audit log, an item an entry, walked in order and read from its end, in blocks of ten thousand as one partition would grow without end; where it ends, in an
 * item apart; and of each tenant the places of its entries, read from their end.
 */
const AUDIT_BLOCK_ENTRIES = 10_000;
export const AUDIT_HEAD_KEY: Key = { pk: 'audit-head', sk: 'head' };

export function auditKey(seq: number): Key {
  return { pk: auditBlock(auditBlockOf(seq)), sk: String(seq).padStart(16, '0') };
}

export function auditBlockOf(seq: number): number {
  return Math.floor(Math.max(0, seq) / AUDIT_BLOCK_ENTRIES);
}

export function auditBlock(block: number): string {
  return `audit#${block}`;
}

export function auditSeqOf(sk: string): number {
  return Number(sk);
}

export function auditTenantKey(tenant: string, seq: number): Key {
  return { pk: auditTenantPartition(tenant), sk: auditKey(seq).sk };
}

export function auditTenantPartition(tenant: string): string {
  return `audit-tenant#${tenant}`;
}

/** Jobs: a tenant's dead letters with their jobs, by id. */
export function deadLetterKey(tenant: string, id: string): Key {
  return { pk: deadLettersPartition(tenant), sk: id };
}

export function deadLettersPartition(tenant: string): string {
  return `dead-letters#${tenant}`;
}

/** Jobs: what is shown of a tenant's dead letters, in the order in which they died. */
export function deadLetterOrderKey({ tenant, atMs, id }: Pick<DeadLetter, 'tenant' | 'atMs' | 'id'>): Key {
  return { pk: deadLetterOrderPartition(tenant), sk: inOrder(atMs, `${tenant}/${id}`) };
}

export function deadLetterOrderPartition(tenant: string): string {
  return `dead-letter-order#${tenant}`;
}

/** Jobs: the same of all tenants, which are read together. */
export function deadLetterListKey(letter: Pick<DeadLetter, 'tenant' | 'atMs' | 'id'>): Key {
  return { pk: deadLetterListPartition(shardOf(letter.tenant)), sk: deadLetterOrderKey(letter).sk };
}

export function deadLetterListPartition(shard: number): string {
  return `dead-letter-list#${shard}`;
}

/** Control: a tenant's webhooks, in one item, as they are few and what may be added depends on all of them. */
export function webhooksKey(tenant: string): Key {
  return { pk: `webhooks#${tenant}`, sk: 'endpoints' };
}

/** Control: of each tenant that waits for deliveries one item, read together to see who is next. */
export function dueWebhooksKey(tenant: string): Key {
  return { pk: dueWebhooksPartition(shardOf(tenant)), sk: tenant };
}

export function dueWebhooksPartition(shard: number): string {
  return `due-webhooks#${shard}`;
}

/** Control: a tenant's deliveries by id. */
export function deliveryKey(tenant: string, id: string): Key {
  return { pk: deliveriesPartition(tenant), sk: id };
}

export function deliveriesPartition(tenant: string): string {
  return `delivery#${tenant}`;
}

/** Control: what of an endpoint's deliveries waits, in the order in which it is due. */
export function waitingDeliveryKey(tenant: string, endpoint: string, dueAtMs: number, id: string): Key {
  return { pk: waitingDeliveriesPartition(tenant, endpoint), sk: inOrder(Math.ceil(dueAtMs), id) };
}

export function waitingDeliveriesPartition(tenant: string, endpoint: string): string {
  return `waiting-delivery#${tenant}/${endpoint}`;
}

/** Control: an endpoint's deliveries in the order of their creation. */
export function deliveryListKey(tenant: string, endpoint: string, createdAtMs: number, id: string): Key {
  return { pk: deliveryListPartition(tenant, endpoint), sk: inOrder(Math.floor(createdAtMs), id) };
}

export function deliveryListPartition(tenant: string, endpoint: string): string {
  return `delivery-list#${tenant}/${endpoint}`;
}

/*
 * Control: a package of the SageMaker Model Registry, by its ARN, as long as its push is validated; and those that are, read
 * together each minute, as they are few.
 */
export const OPEN_PACKAGES = 'model-packages';

export function modelPackageKey(arn: string): Key {
  return { pk: OPEN_PACKAGES, sk: arn };
}

/** Of writers: a busy version's items are spread over as many partitions a day. */
export const TELEMETRY_SHARDS = 16;

/*
 * Telemetry: one item a report, never changed. A version's are read by a range of windows, each shard of each day by itself: a day of a
 * shard takes a thousand write units a second, a hundred writers of the largest items.
 */
export function telemetryKey(item: Omit<TelemetryItem, 'telemetry'>): Key {
  const { model, version, windowStartMs, writer, sequence, shard } = item;
  const pk = telemetryPartition(model, version, windowStartMs, shard);
  return { pk, sk: inOrder(Math.floor(windowStartMs), `${writer}#${sequence}`) };
}

/** The partition of the windows of one day, in UTC, that a moment is in. */
export function telemetryPartition(model: string, version: string, atMs: number, shard: number): string {
  return `telemetry#${model}@${version}#${Math.floor(atMs / DAY_MS)}#${shard}`;
}

/** Before every window that starts at that time or later, after every one that starts earlier. */
export function telemetryBound(atMs: number): string {
  return String(Math.ceil(atMs)).padStart(16, '0');
}

/*
 * Telemetry: which versions were reported of, one item for each of them in each ten minutes and one in each day, written again by every writer. A
 * slice's are read together; as every writer begins it at once, they are spread over four partitions.
 */
export const ACTIVITY_SHARDS = 4;
export const ACTIVITY_SLICE_MS = 10 * MINUTE_MS;

export function activityKey(version: VersionName, atMs: number, shard: number): Key {
  return { pk: activityPartition(atMs, shard % ACTIVITY_SHARDS), sk: nameOf(version) };
}

export function activityPartition(atMs: number, shard: number): string {
  return `active#${Math.floor(atMs / ACTIVITY_SLICE_MS)}#${shard}`;
}

export function dailyActivityKey(version: VersionName, atMs: number): Key {
  return { pk: dailyActivityPartition(atMs), sk: nameOf(version) };
}

export function dailyActivityPartition(atMs: number): string {
  return `active-day#${Math.floor(atMs / DAY_MS)}`;
}

/** The way back of a sort key of activity. */
export function versionOfKey(sk: string): VersionName {
  const at = sk.lastIndexOf('@');
  return { model: sk.slice(0, at), version: sk.slice(at + 1) };
}

function nameOf({ model, version }: VersionName): string {
  return `${model}@${version}`;
}

/** Telemetry: roll-ups of a version, the minutes of a day and the hours of thirty days each in one partition, read by a range of times. */
export function rollUpKey({ span, model, version, startMs }: Omit<RollUp, 'telemetry' | 'reports'>): Key {
  return { pk: rollUpPartition(span, { model, version }, startMs), sk: inOrder(startMs, span) };
}

export function rollUpPartition(span: RollUpSpan, version: VersionName, atMs: number): string {
  return `roll-up#${span}#${nameOf(version)}#${Math.floor(atMs / ROLL_UP_PARTITION_MS[span])}`;
}

export const ROLL_UP_PARTITION_MS: Readonly<Record<RollUpSpan, number>> = { minute: DAY_MS, hour: 30 * DAY_MS };

/** Telemetry: how far the region is rolled up, in one item. */
export const ROLLED_UNTIL_KEY: Key = { pk: 'rolled-until', sk: 'rolled-until' };

/** Telemetry: one item a part of a worker's day, rewritten as its totals grow; a day's are read together. */
export function meterKey({ day, writer, part }: Pick<MeterRecord, 'day' | 'writer' | 'part'>): Key {
  return { pk: meterPartition(day), sk: `${writer}#${part}` };
}

export function meterPartition(day: number): string {
  return `meter#${day}`;
}

/** Telemetry: what was measured last, one item a region. */
export const WATCH_KEY: Key = { pk: 'watch', sk: 'latest' };

/*
 * Telemetry: what a version was found to be like beside its reference. State and reference are read by version; the summaries of all versions, a few KB each,
 * together; the windows that were judged in order of their ends.
 */
export const QUALITY_SUMMARIES = 'quality-summaries';

export function qualitySummaryKey(model: string, version: string): Key {
  return { pk: QUALITY_SUMMARIES, sk: `${model}@${version}` };
}

export function qualityStateKey(model: string, version: string): Key {
  return { pk: `quality#${model}@${version}`, sk: 'state' };
}

export function qualityReferenceKey(model: string, version: string): Key {
  return { pk: `quality#${model}@${version}`, sk: 'reference' };
}

export function qualityWindowKey(model: string, version: string, untilMs: number): Key {
  return { pk: qualityWindowPartition(model, version), sk: inOrder(Math.floor(untilMs), 'window') };
}

export function qualityWindowPartition(model: string, version: string): string {
  return `quality-windows#${model}@${version}`;
}

/** Telemetry: one item a tenant and day, read by tenant in order. */
export function tenantDayKey(tenant: string, day: number): Key {
  return { pk: tenantDayPartition(tenant), sk: tenantDayBound(day) };
}

export function tenantDayPartition(tenant: string): string {
  return `tenant-meter#${tenant}`;
}

/** Sorts as days do. */
export function tenantDayBound(day: number): string {
  return String(day).padStart(9, '0');
}

/** Telemetry: which days are added up by tenant. */
export const SUMMED_DAYS_KEY: Key = { pk: 'meter-summed', sk: 'days' };

/** The time in a key that sorts by time. */
export function timeOf({ sk }: Pick<Key, 'sk'>): number {
  return Number(sk.split('#', 1)[0]);
}

/** Sorts by time. */
function inOrder(atMs: number, id: string): string {
  return `${String(atMs).padStart(16, '0')}#${id}`;
}

function captureIndex(name: string, partition: string): Index {
  return { name, partition, order: 'atMs', included: ['tenant', 'bytes', 'expiresAtMs', 'blob'] };
}

function shardOf(id: string): number {
  return createHash('sha256').update(id).digest()[0]! % LIST_SHARDS;
}
