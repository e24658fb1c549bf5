import type { Job, Lane as LaneName } from '../../core/inference/job.ts';
import type { Deadlines } from './deadlines.ts';
import { Fifo } from './fifo.ts';
import { Waiter } from './waiter.ts';

/** A job on its way to a worker. */
export type Message = {
  readonly tenant: string;
  readonly id: string;
  readonly pool: string;
  readonly lane: LaneName;
  /** undefined: its payload is only in the database. */
  job: Job | undefined;
  /** True if it has, or may have, a row. */
  stored: boolean;
  receiveCount: number;
  /** Names the delivery that is out; undefined while it waits. */
  receipt: string | undefined;
  visibleAtMs: number;
  /** Since when it waits for an answer. */
  readonly sinceMs: number;
};

/** What waits in one lane: first come, first served within a tenant, and tenants in turn, so that no backlog hides another's job. */
export class Lane {
  readonly #waiting = new Map<string, Fifo<Message>>();
  readonly #turns = new Fifo<string>();
  /** Those handed out, by receipt. */
  readonly inFlight = new Map<string, Message>();
  readonly #deadlines: Deadlines;
  #receivers: Waiter<true>[] = [];
  #length = 0;
  /** Not later than the first `visibleAtMs` of those in flight. */
  nextVisibleAtMs = Number.POSITIVE_INFINITY;

  constructor(deadlines: Deadlines) {
    this.#deadlines = deadlines;
  }

  get length(): number {
    return this.#length;
  }

  /** Since when the one waits that has waited longest; undefined where none does. */
  get oldestSinceMs(): number | undefined {
    let oldest: number | undefined;
    for (const messages of this.#waiting.values()) {
      const sinceMs = messages.peek()?.sinceMs;
      if (sinceMs !== undefined && (oldest === undefined || sinceMs < oldest)) oldest = sinceMs;
    }
    return oldest;
  }

  put(message: Message): void {
    this.#of(message.tenant).push(message);
    this.#length += 1;
    this.#announce();
  }

  /** Before all others of its tenant. */
  putFirst(message: Message): void {
    this.#of(message.tenant).unshift(message);
    this.#length += 1;
    this.#announce();
  }

  take(): Message | undefined {
    for (;;) {
      const tenant = this.#turns.shift();
      if (tenant === undefined) return undefined;
      const messages = this.#waiting.get(tenant);
      const message = messages?.shift();
      if (messages === undefined || message === undefined) continue;
      if (messages.length > 0) this.#turns.push(tenant);
      else this.#waiting.delete(tenant);
      this.#length -= 1;
      return message;
    }
  }

  /** Those of a tenant that waited; they wait no more. */
  takeAll(tenant: string): Message[] {
    const taken: Message[] = [];
    const messages = this.#waiting.get(tenant);
    this.#waiting.delete(tenant);
    for (let next = messages?.shift(); next !== undefined; next = messages?.shift()) taken.push(next);
    this.#length -= taken.length;
    return taken;
  }

  handOut(message: Message, receipt: string, visibleAtMs: number): void {
    message.receipt = receipt;
    message.receiveCount += 1;
    message.visibleAtMs = visibleAtMs;
    this.inFlight.set(receipt, message);
    this.nextVisibleAtMs = Math.min(this.nextVisibleAtMs, visibleAtMs);
  }

  /** The message of a delivery that is still out; it is no longer. */
  callIn(receipt: string): Message | undefined {
    const message = this.inFlight.get(receipt);
    if (message === undefined) return undefined;
    this.inFlight.delete(receipt);
    message.receipt = undefined;
    return message;
  }

  /** Puts back those whose visibility has ended. */
  putBackOverdue(nowMs: number): void {
    if (nowMs < this.nextVisibleAtMs) return;
    this.nextVisibleAtMs = Number.POSITIVE_INFINITY;
    for (const [receipt, message] of this.inFlight) {
      if (message.visibleAtMs > nowMs) this.nextVisibleAtMs = Math.min(this.nextVisibleAtMs, message.visibleAtMs);
      else if (this.callIn(receipt) !== undefined) this.putFirst(message);
    }
  }

  /** Resolves when there may be something to take: after a message has come or a visibility ended, at `untilMs`, or on abort. */
  async arrival(untilMs: number, signal: AbortSignal | undefined): Promise<void> {
    const atMs = Math.min(untilMs, this.nextVisibleAtMs);
    const waiter = new Waiter<true>(this.#deadlines, atMs, signal, (gone) => {
      this.#receivers = this.#receivers.filter((receiver) => receiver !== gone);
    });
    this.#receivers.push(waiter);
    await waiter.value;
  }

  #announce(): void {
    if (this.#receivers.length === 0) return;
    const receivers = this.#receivers;
    this.#receivers = [];
    for (const receiver of receivers) receiver.settle(true);
  }

  #of(tenant: string): Fifo<Message> {
    let messages = this.#waiting.get(tenant);
    if (messages === undefined) {
      messages = new Fifo();
      this.#waiting.set(tenant, messages);
      this.#turns.push(tenant);
    }
    return messages;
  }
}
