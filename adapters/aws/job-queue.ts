import type { SQSClient } from '@aws-sdk/client-sqs';
import { asFailure, Failure } from '../../core/failure.ts';
import { FreshCache } from '../../core/fresh-cache.ts';
import type { GivenUp } from '../../core/inference/dead-letter.ts';
import type { Job, Lane } from '../../core/inference/job.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Delivery, JobQueue } from '../../core/ports/job-queue.ts';
import type { Log } from '../../core/ports/log.ts';
import { SECOND_MS } from '../../core/units.ts';
import { Acknowledgements } from './acknowledgements.ts';
import { inParallel } from './in-parallel.ts';
import {
  type Attributes,
  blobOf,
  type Incoming,
  NO_TENANT,
  openMessage,
  REASON,
  text,
  toIncoming,
  toMessage,
} from './job-message.ts';
import type { Payloads } from './payloads.ts';
import { SqsLane } from './sqs-lane.ts';

/**
 * As the port says: a message that nobody finishes with is taken out after this many deliveries. The queue's own redrive
 * policy stands above it, for messages that nobody can even take out.
 */
export const MOST_RECEIVES = 50;
const GIVEN_UP = new Failure('internal', { detail: `given up after ${MOST_RECEIVES} deliveries` });
const MOST_AT_ONCE = 16;
const MOST_LANES = 1_000;
/** What is not taken in is left alone for as long as it takes until it is looked for again. */
const COLLECT_HIDDEN_MS = 50 * SECOND_MS;

/** The queues of one lane of one pool. */
export type LaneUrls = { readonly url: string; readonly deadLetterUrl: string };

type Parts = {
  readonly client: SQSClient;
  /** By pool. */
  readonly queues: Readonly<Record<string, Readonly<Record<Lane, LaneUrls>>>>;
  readonly payloads: Payloads;
  readonly clock: Clock;
  readonly log: Log;
  /** How old a depth may be: SQS itself knows it only approximately. Default: it is asked each time. */
  readonly depthAgeMs?: number | undefined;
  /** Ends the job of a message that cannot be delivered, and keeps it among the dead letters. */
  readonly onUndeliverable: (givenUp: GivenUp) => Promise<void>;
};

type OpenLane = {
  readonly pool: string;
  readonly name: Lane;
  readonly queue: SqsLane;
  readonly deadLetters: SqsLane;
  readonly acknowledgements: Acknowledgements;
};

/**
 * Standard SQS queues, a tenant being a message group, so that SQS itself is fair between them. A message is the sealed job;
 * it is durable once sent. What is damaged, or was handed out too often, is taken out, its job ended and kept among the dead letters of the
 * region. In SQS's own lie for a while: what could not be opened for an outage, and what workers end over and over, until
 * `collectDead` takes it in; and what says of no tenant that it is its, for people to look at.
 */
export class AwsJobQueue implements JobQueue {
  readonly #parts: Parts;
  readonly #lanes = new Map<string, OpenLane>();
  readonly #depths: FreshCache<number>;
  /** Polls that their callers have left. */
  readonly #left = new Set<Promise<void>>();

  constructor(parts: Parts) {
    this.#parts = parts;
    const { client, clock, depthAgeMs = 0 } = parts;
    this.#depths = new FreshCache(depthAgeMs, MOST_LANES);
    for (const [pool, lanes] of Object.entries(parts.queues)) {
      for (const [lane, { url, deadLetterUrl }] of Object.entries(lanes)) {
        const queue = new SqsLane(client, url, clock);
        const deadLetters = new SqsLane(client, deadLetterUrl, clock);
        this.#lanes.set(`${pool}/${lane}`, {
          pool,
          name: lane as Lane,
          queue,
          deadLetters,
          acknowledgements: new Acknowledgements(queue, clock),
        });
      }
    }
  }

  async send(job: Job): Promise<void> {
    const { queue } = this.#lane(job.pool, job.lane);
    await queue.send(await toMessage(job, this.#parts.payloads), job.tenant);
  }

  /** Nothing: every message is durable. */
  async persist(): Promise<void> {}

  async receive(
    pool: string,
    laneName: Lane,
    max: number,
    waitMs: number,
    visibilityMs: number,
    signal?: AbortSignal,
  ): Promise<readonly Delivery[]> {
    const lane = this.#lane(pool, laneName);
    const untilMs = this.#parts.clock.nowMs() + waitMs;
    for (;;) {
      const leftMs = Math.max(0, untilMs - this.#parts.clock.nowMs());
      const messages = await this.#poll(lane, max, leftMs, visibilityMs, signal);
      const opened = await inParallel(messages, MOST_AT_ONCE, (message) => this.#open(lane, message));
      const deliveries = opened.filter((delivery) => delivery !== undefined);
      if (deliveries.length > 0 || signal?.aborted || this.#parts.clock.nowMs() >= untilMs) return deliveries;
    }
  }

  async extend(deliveries: readonly Delivery[], visibilityMs: number): Promise<void> {
    await this.#ofEachLane(deliveries, ({ queue }, receipts) => queue.hide(receipts.map(handleOf), visibilityMs));
  }

  async acknowledge(deliveries: readonly Delivery[]): Promise<void> {
    await this.#ofEachLane(deliveries, ({ acknowledgements }, receipts) =>
      acknowledgements.add(receipts.map(handleOf)),
    );
    const blobs = deliveries.map(({ receipt }) => blobOfReceipt(receipt)).filter((blob) => blob !== '');
    await inParallel(blobs, MOST_AT_ONCE, (blob) => this.#parts.payloads.discard(blob));
  }

  giveBack(deliveries: readonly Delivery[]): Promise<void> {
    return this.extend(deliveries, 0);
  }

  async depth(pool: string, lane: Lane): Promise<number> {
    const { queue } = this.#lane(pool, lane);
    return this.#depths.get(`${pool}/${lane}`, this.#parts.clock.nowMs(), () => queue.depth());
  }

  /** SQS tells it to CloudWatch alone (ApproximateAgeOfOldestMessage), minutes late: alarms read it there. */
  async oldestMs(): Promise<undefined> {
    return undefined;
  }

  async collectDead(max: number): Promise<number> {
    let collected = 0;
    for (const lane of this.#lanes.values()) {
      if (collected < max) collected += await this.#collect(lane, max - collected);
    }
    return collected;
  }

  /**
   * Nothing: messages cannot be found by tenant. They are sealed under the tenant's key, which an erasure destroys before;
   * whoever receives one ends its job and deletes it.
   */
  async erase(): Promise<void> {}

  /** Resolves once polls that were left have ended, in 20 s at the most: what they bring after that nobody hands back. */
  async settled(): Promise<void> {
    await Promise.all(this.#left);
  }

  /**
   * A poll that its caller leaves goes on, as SQS may be handing out messages at that moment: what it still brings goes
   * back to the queue at once.
   */
  async #poll(
    { queue }: OpenLane,
    max: number,
    waitMs: number,
    visibilityMs: number,
    signal: AbortSignal | undefined,
  ): Promise<readonly Incoming[]> {
    if (signal?.aborted) return [];
    const polled = queue.receive(max, waitMs, visibilityMs);
    if (signal === undefined) return (await polled).map(toIncoming);
    const left = Promise.withResolvers<undefined>();
    const leave = () => left.resolve(undefined);
    signal.addEventListener('abort', leave, { once: true });
    const messages = await Promise.race([polled, left.promise]);
    signal.removeEventListener('abort', leave);
    if (messages !== undefined) return messages.map(toIncoming);
    const ended = polled
      .then((late) =>
        queue.hide(
          late.map(({ ReceiptHandle }) => ReceiptHandle ?? ''),
          0,
        ),
      )
      .catch((error: unknown) => this.#parts.log.error('a poll that was left did not end well', error))
      .finally(() => this.#left.delete(ended));
    this.#left.add(ended);
    return [];
  }

  /** undefined: it was taken out, or cannot be opened now and comes again when its visibility ends. */
  async #open(lane: OpenLane, message: Incoming): Promise<Delivery | undefined> {
    const { receiveCount, handle, tenant, id } = message;
    const opened = await this.#tryOpen(message);
    if (opened === 'not-now') {
      // Nothing is known against it: it waits apart from the others, to be taken in once it can be read.
      if (receiveCount >= MOST_RECEIVES) await this.#setAside(lane, message);
      return undefined;
    }
    if (opened instanceof Failure || receiveCount > MOST_RECEIVES) {
      await this.#takeOut(lane, message, opened, lane.queue).catch((error: unknown) => {
        this.#parts.log.error('a message could not be taken out of its queue', error, { tenant, job: id });
      });
      return undefined;
    }
    const blob = blobOf(message);
    return { job: opened, receipt: blob === '' ? handle : `${handle} ${blob}`, receiveCount };
  }

  /** A failure is for good. */
  async #tryOpen(message: Incoming): Promise<Job | Failure | 'not-now'> {
    try {
      return await openMessage(message, this.#parts.payloads);
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code === 'record-damaged' || failure.code === 'data-erased') return failure;
      this.#parts.log.error('a message cannot be opened now', error, { tenant: message.tenant, job: message.id });
      return 'not-now';
    }
  }

  /**
   * Has its job ended and kept among the dead letters, then deletes it: in this order, so that a crash repeats it. What is nobody's stays a message, among those of
   * the queue's own.
   */
  async #takeOut(lane: OpenLane, message: Incoming, opened: Job | Failure, from: SqsLane): Promise<void> {
    const { tenant, id, handle, receiveCount } = message;
    const failure = opened instanceof Failure ? opened : GIVEN_UP;
    if (tenant === undefined || id === undefined) {
      const { body } = message;
      await lane.deadLetters.send({ body, attributes: deadAttributes(message, failure) }, tenant ?? NO_TENANT);
    } else {
      const job = opened instanceof Failure ? undefined : opened;
      const given = { tenant, id, pool: lane.pool, lane: lane.name, job, failure, attempts: receiveCount };
      await this.#parts.onUndeliverable(given);
    }
    await from.delete([handle]);
    if (tenant !== undefined && id !== undefined) await this.#parts.payloads.discard(blobOf(message) || undefined);
  }

  async #setAside(lane: OpenLane, { tenant, id, body, attributes, handle }: Incoming): Promise<void> {
    try {
      await lane.deadLetters.send({ body, attributes }, tenant ?? NO_TENANT);
      await lane.queue.delete([handle]);
    } catch (error) {
      this.#parts.log.error('a message could not be taken out of its queue', error, { tenant, job: id });
    }
  }

  async #collect(lane: OpenLane, max: number): Promise<number> {
    const messages = (await lane.deadLetters.receive(max, 0, COLLECT_HIDDEN_MS)).map(toIncoming);
    const taken = await inParallel(messages, MOST_AT_ONCE, async (message) => {
      // What is nobody's is for people to look at.
      if (message.tenant === undefined || message.id === undefined) return false;
      const opened = await this.#tryOpen(message);
      if (opened === 'not-now') return false;
      await this.#takeOut(lane, message, opened, lane.deadLetters);
      return true;
    });
    return taken.filter((isTaken) => isTaken).length;
  }

  async #ofEachLane(
    deliveries: readonly Delivery[],
    run: (lane: OpenLane, receipts: readonly string[]) => Promise<void>,
  ): Promise<void> {
    const lanes = Map.groupBy(deliveries, ({ job }) => this.#lane(job.pool, job.lane));
    await Promise.all(
      [...lanes].map(([lane, some]) =>
        run(
          lane,
          some.map(({ receipt }) => receipt),
        ),
      ),
    );
  }

  #lane(pool: string, lane: Lane): OpenLane {
    const open = this.#lanes.get(`${pool}/${lane}`);
    if (open === undefined) throw new Error(`no queue is configured for ${lane} jobs of the pool ${pool}`);
    return open;
  }
}

function deadAttributes({ attributes }: Incoming, reason: Failure): Attributes {
  return { ...attributes, [REASON]: text(reason.code), detail: text(reason.facts.detail ?? reason.code) };
}

function handleOf(receipt: string): string {
  return receipt.split(' ', 1)[0]!;
}

function blobOfReceipt(receipt: string): string {
  return receipt.slice(handleOf(receipt).length + 1);
}
