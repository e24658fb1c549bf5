import { createHash, createSecretKey, type KeyObject } from 'node:crypto';
import { Nonces, openBytes, sealBytes } from '../../adapters/sealing/envelope.ts';

/*
 * Services of AWS as a handler of predictions sees them, in its own process: each call is answered with what the real
 * one answered to such a call before, brought up to date. What changes is written anew: ids of jobs, times, sealed outcomes.
 */

type Call = { readonly target: string; readonly body: Buffer };
type InstantAnswer = { readonly status: number; readonly text: string };

type Attribute = { readonly S?: string; readonly B?: string };
type Item = Readonly<Record<string, Attribute>>;
type Fields = {
  readonly TableName?: string;
  readonly Key?: Item;
  readonly UpdateExpression?: string;
  readonly MessageBody?: string;
};

/** Of `adapters/aws/data-keys.ts`, before what is sealed: the generation of the key. */
const GENERATION_BYTES = 4;
const JOBS = 'jobs#';

/** A job that had ended when it was read. */
type EndedJob = { readonly item: Item; readonly generation: Buffer; readonly outcome: Buffer };

export class InstantAws {
  readonly #answers = new Map<string, InstantAnswer>();
  readonly #nonces = new Nonces();
  #key: KeyObject | undefined;
  #ended: EndedJob | undefined;

  /** Learns from what a service has answered. */
  record({ target, body }: Call, status: number, answer: Buffer): void {
    const text = answer.toString();
    const operation = target.split('.').at(-1);
    if (operation === 'Decrypt' || operation === 'GenerateDataKey') {
      this.#key = createSecretKey(Buffer.from((JSON.parse(text) as { Plaintext: string }).Plaintext, 'base64'));
      return;
    }
    const fields = JSON.parse(body.toString()) as Fields;
    if (isJobRead(operation, fields)) this.#recordJob(fields.Key!, JSON.parse(text) as { Item?: Item });
    else this.#answers.set(nameOf(target, operation, fields, body), { status, text });
  }

  /** undefined: nothing like it was asked before. */
  answer({ target, body }: Call): InstantAnswer | undefined {
    const operation = target.split('.').at(-1);
    const fields = JSON.parse(body.toString()) as Fields;
    if (isJobRead(operation, fields)) return this.#endedJob(fields.Key!);
    const answer = this.#answers.get(nameOf(target, operation, fields, body));
    if (answer === undefined) return undefined;
    if (operation === 'SendMessage') return { ...answer, text: sent(answer.text, fields.MessageBody!) };
    return operation === 'Query' ? { ...answer, text: upToDate(answer.text) } : answer;
  }

  #recordJob({ pk, sk }: Item, { Item: item }: { readonly Item?: Item }): void {
    const sealed = item?.outcome?.B;
    if (this.#key === undefined || item === undefined || sealed === undefined) return;
    const bytes = Buffer.from(sealed, 'base64');
    const outcome = openBytes(this.#key, contextOf(pk!, sk!), bytes.subarray(GENERATION_BYTES));
    this.#ended = { item, generation: bytes.subarray(0, GENERATION_BYTES), outcome };
  }

  #endedJob({ pk, sk }: Item): InstantAnswer | undefined {
    if (this.#ended === undefined || this.#key === undefined) return undefined;
    const { item, generation, outcome } = this.#ended;
    const sealed = sealBytes(this.#key, this.#nonces.next(), contextOf(pk!, sk!), outcome);
    const B = Buffer.concat([generation, sealed]).toString('base64');
    return { status: 200, text: JSON.stringify({ Item: { ...item, sk, outcome: { B } } }) };
  }
}

function isJobRead(operation: string | undefined, { Key }: Fields): boolean {
  return operation === 'GetItem' && Key?.pk?.S?.startsWith(JOBS) === true;
}

/** What a tenant's payload is sealed for, as `Payloads` and `AwsJobs` have it. */
function contextOf(pk: Attribute, sk: Attribute): string {
  return `${pk.S!.slice(JOBS.length)}\noutcome/${sk.S}`;
}

/** Reads of the same are the same; writes are, if they write so. */
function nameOf(target: string, operation: string | undefined, fields: Fields, body: Buffer): string {
  if (operation === 'GetItem' || operation === 'Query') return `${target} ${body.toString()}`;
  return `${target} ${fields.TableName} ${fields.UpdateExpression}`;
}

/** Clients hold what was sent against its sum. */
function sent(answer: string, body: string): string {
  const sum = createHash('md5').update(body).digest('hex');
  return JSON.stringify({ ...(JSON.parse(answer) as object), MD5OfMessageBody: sum });
}

/** Heartbeats are as old as their reports say. */
function upToDate(answer: string): string {
  return answer.replaceAll(/"atMs":\{"N":"[\d.]+"\}/g, `"atMs":{"N":"${Date.now()}"}`);
}
