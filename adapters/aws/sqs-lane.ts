import {
  type BatchResultErrorEntry,
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { Clock } from '../../core/ports/clock.ts';
import { SECOND_MS } from '../../core/units.ts';
import { namedError, toFailure } from './aws-failure.ts';
import { CALL_TIMEOUT_MS } from './clients.ts';
import { inParallel } from './in-parallel.ts';
import type { Outgoing } from './job-message.ts';

/** Of SQS: messages of one call, and seconds of one long poll. */
const MOST_AT_ONCE = 10;
const LONGEST_POLL_S = 20;
/** What a long poll may take beyond its wait. */
const POLL_GRACE_MS = 5 * SECOND_MS;
/** Calls of one receive or acknowledgement: 80 messages a round trip, about 4,000 a second. */
const MOST_CALLS = 8;
/**
 * Of a call with all its attempts. The client's own limit of silence is that of a long poll, too much for an answer that has
 * begun and stops.
 */
const LONGEST_CALL_MS = 4 * CALL_TIMEOUT_MS.sqs + SECOND_MS;
const MOST_TRIES = 4;
const RETRY_MS = 50;

type BatchAnswer = { readonly Failed?: readonly BatchResultErrorEntry[] | undefined };

/** One SQS queue; failures are those of the core. */
export class SqsLane {
  readonly #client: SQSClient;
  readonly #url: string;
  readonly #clock: Clock;

  constructor(client: SQSClient, url: string, clock: Clock) {
    this.#client = client;
    this.#url = url;
    this.#clock = clock;
  }

  async send({ body, attributes }: Outgoing, group: string): Promise<void> {
    const message = { QueueUrl: this.#url, MessageBody: body, MessageAttributes: attributes, MessageGroupId: group };
    await this.#client.send(new SendMessageCommand(message), limited()).catch(rethrow);
  }

  /** Up to `max` messages: one call that waits, and, if it comes back full, more that do not. */
  async receive(max: number, waitMs: number, visibilityMs: number): Promise<readonly Message[]> {
    const messages = [...(await this.#receiveOnce(Math.min(max, MOST_AT_ONCE), waitMs, visibilityMs))];
    for (let isFull = messages.length === MOST_AT_ONCE; isFull && messages.length < max; ) {
      const sizes: number[] = [];
      for (let left = max - messages.length; left > 0 && sizes.length < MOST_CALLS; left -= MOST_AT_ONCE) {
        sizes.push(Math.min(left, MOST_AT_ONCE));
      }
      // What one of these brings is hidden already: a failure of another must not lose it.
      const more = await Promise.allSettled(sizes.map((size) => this.#receiveOnce(size, 0, visibilityMs)));
      const got = more.map((one) => (one.status === 'fulfilled' ? one.value : []));
      messages.push(...got.flat());
      isFull = got.every((some, at) => some.length === sizes[at]);
    }
    return messages;
  }

  /** 0 ms hands them out again at once. Handles that are no longer valid change nothing. */
  hide(handles: readonly string[], visibilityMs: number): Promise<void> {
    const seconds = toSeconds(visibilityMs);
    return this.#inBatches(handles, (some) => {
      const Entries = some.map((handle, at) => ({
        Id: String(at),
        ReceiptHandle: handle,
        VisibilityTimeout: seconds,
      }));
      return this.#client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: this.#url, Entries }), limited());
    });
  }

  /** Handles that are no longer valid change nothing. */
  delete(handles: readonly string[]): Promise<void> {
    return this.#inBatches(handles, (some) => {
      const Entries = some.map((handle, at) => ({ Id: String(at), ReceiptHandle: handle }));
      return this.#client.send(new DeleteMessageBatchCommand({ QueueUrl: this.#url, Entries }), limited());
    });
  }

  async depth(): Promise<number> {
    const asked = { QueueUrl: this.#url, AttributeNames: ['ApproximateNumberOfMessages' as const] };
    const { Attributes } = await this.#client.send(new GetQueueAttributesCommand(asked), limited()).catch(rethrow);
    return Number(Attributes?.ApproximateNumberOfMessages ?? 0);
  }

  async #receiveOnce(max: number, waitMs: number, visibilityMs: number): Promise<readonly Message[]> {
    const asked = {
      QueueUrl: this.#url,
      MaxNumberOfMessages: max,
      WaitTimeSeconds: Math.min(toSeconds(waitMs), LONGEST_POLL_S),
      VisibilityTimeout: toSeconds(visibilityMs),
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['ApproximateReceiveCount' as const],
    };
    const options = { requestTimeout: waitMs + POLL_GRACE_MS, ...limited(waitMs) };
    const { Messages } = await this.#client.send(new ReceiveMessageCommand(asked), options).catch(rethrow);
    return Messages ?? [];
  }

  async #inBatches(
    handles: readonly string[],
    run: (handles: readonly string[]) => Promise<BatchAnswer>,
  ): Promise<void> {
    const batches: (readonly string[])[] = [];
    for (let at = 0; at < handles.length; at += MOST_AT_ONCE) batches.push(handles.slice(at, at + MOST_AT_ONCE));
    await inParallel(batches, MOST_CALLS, (batch) => this.#untilDone(batch, run));
  }

  /** A batch may fail in part: what the service failed at is tried again, what we got wrong is an old handle. */
  async #untilDone(batch: readonly string[], run: (handles: readonly string[]) => Promise<BatchAnswer>): Promise<void> {
    let handles = batch;
    for (let tries = 1; ; tries += 1) {
      const { Failed = [] } = await run(handles).catch(rethrow);
      const again = Failed.filter(({ SenderFault }) => SenderFault !== true);
      if (again.length === 0) return;
      if (tries === MOST_TRIES) throw toFailure(namedError(again[0]!.Code, 'a batch failed in part'));
      const tried = handles;
      handles = again.map(({ Id }) => tried[Number(Id)]!);
      await this.#clock.sleep(Math.random() * RETRY_MS * 2 ** tries);
    }
  }
}

function limited(waitMs = 0): { readonly abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(Math.ceil(waitMs) + LONGEST_CALL_MS) };
}

/** SQS counts whole seconds: a delivery is hidden no shorter than asked for. */
function toSeconds(ms: number): number {
  return Math.ceil(ms / SECOND_MS);
}

function rethrow(error: unknown): never {
  throw toFailure(error);
}
