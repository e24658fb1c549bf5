import type { Message, MessageAttributeValue } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import { Failure } from '../../core/failure.ts';
import type { Job } from '../../core/inference/job.ts';
import { decodeJob, encodeJob } from '../../core/inference/job-codec.ts';
import { tenantIdSchema } from '../../core/tenancy/tenant.ts';
import { KIB } from '../../core/units.ts';
import { blobPrefix } from './keys.ts';
import type { Payloads, StoredPayload } from './payloads.ts';

/** A body is text: 256 KB of base64. Larger ones are blobs. */
const INLINE_BYTES = 192 * KIB;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** The attribute of a dead letter whose job was ended when it was taken out: why. */
export const REASON = 'reason';
/** Messages of no tenant share one group of the dead letters. */
export const NO_TENANT = 'unknown';

const OWN_ATTRIBUTES: ReadonlySet<string> = new Set(['tenant', 'job', 'payload', 'traceparent']);
const idSchema = z.string().regex(/^[A-Za-z0-9_-]{1,100}$/);

export type Attributes = Record<string, MessageAttributeValue>;

/** What is sent of a job: the sealed job or the key of its blob, and in the open only whose it is. */
export type Outgoing = { readonly body: string; readonly attributes: Attributes };

/** Whose a message is; undefined where it does not say. */
export type Address = { readonly tenant: string | undefined; readonly id: string | undefined };

/** A message as it was received, with what of its attributes is ours: SQS takes ten at the most, and two more are for the dead letters. */
export type Incoming = Address & {
  readonly handle: string;
  readonly receiveCount: number;
  readonly body: string;
  readonly attributes: Attributes;
};

export async function toMessage(job: Job, payloads: Payloads): Promise<Outgoing> {
  const stored = await payloads.store(job.tenant, contextOf(job.id), encodeJob(job), INLINE_BYTES);
  const attributes: Attributes = {
    tenant: text(job.tenant),
    job: text(job.id),
    payload: text(typeof stored === 'string' ? 'blob' : 'sealed'),
  };
  if (job.traceparent !== undefined && job.traceparent !== '') attributes.traceparent = text(job.traceparent);
  return { body: typeof stored === 'string' ? stored : Buffer.from(stored).toString('base64'), attributes };
}

export function toIncoming({ Body, MessageAttributes, Attributes, ReceiptHandle }: Message): Incoming {
  const attributes = Object.fromEntries(
    Object.entries(MessageAttributes ?? {}).filter(([name]) => OWN_ATTRIBUTES.has(name)),
  );
  return {
    tenant: tenantIdSchema.safeParse(attributes.tenant?.StringValue).data,
    id: idSchema.safeParse(attributes.job?.StringValue).data,
    handle: ReceiptHandle ?? '',
    receiveCount: Number(Attributes?.ApproximateReceiveCount ?? 1),
    body: Body ?? '',
    attributes,
  };
}

/** The blob that a message names; '' if it holds its payload itself. */
export function blobOf({ attributes, body }: Incoming): string {
  return attributes.payload?.StringValue === 'blob' ? body : '';
}

/** Throws `record-damaged` for what is no message of ours, `data-erased` when its tenant was erased since. */
export async function openMessage(message: Incoming, payloads: Payloads): Promise<Job> {
  const { tenant, id } = message;
  if (tenant === undefined || id === undefined) throw malformed('it does not say whose it is');
  const job = decodeJob(await payloads.open(tenant, contextOf(id), payloadOf(message, tenant)));
  if (job.tenant !== tenant || job.id !== id) throw malformed('it holds another job');
  return job;
}

export function text(value: string): MessageAttributeValue {
  return { DataType: 'String', StringValue: value };
}

function payloadOf({ attributes, body }: Incoming, tenant: string): StoredPayload {
  const kind = attributes.payload?.StringValue;
  if (kind === 'sealed' && BASE64.test(body)) return Buffer.from(body, 'base64');
  // A key of another tenant's blob would be read, though not opened.
  if (kind === 'blob' && body.startsWith(blobPrefix(tenant))) return body;
  throw malformed('its payload is of no known kind');
}

function contextOf(id: string): string {
  return `message/${id}`;
}

function malformed(why: string): Failure {
  return new Failure('record-damaged', { detail: `a message: ${why}` });
}
