import type { Job, Lane } from '../inference/job.ts';

export type Delivery = {
  readonly job: Job;
  /** Names this delivery, not the message: acknowledging an old receipt changes nothing. */
  readonly receipt: string;
  /** How often the queue has handed this message out, this time included. */
  readonly receiveCount: number;
};

/**
 * At-least-once queues, two lanes a pool. Order is not promised. A delivery that is neither acknowledged nor extended
 * within its visibility comes again; after 50 receives it goes to the dead letters.
 */
export interface JobQueue {
  /** A durable job's message is durable when it resolves; any other lives as long as the host, and may need no promise. */
  send(job: Job): void | Promise<void>;
  /** Makes the message of an already sent job survive a crash; harmless if it has been acknowledged. */
  persist(job: Job): Promise<void>;
  /** Up to `max` messages at once, or an empty list when none came within `waitMs`. Each is hidden for `visibilityMs`. */
  receive(
    pool: string,
    lane: Lane,
    max: number,
    waitMs: number,
    visibilityMs: number,
    signal?: AbortSignal,
  ): Promise<readonly Delivery[]>;
  extend(deliveries: readonly Delivery[], visibilityMs: number): Promise<void>;
  /** Done with them, for good. */
  acknowledge(deliveries: readonly Delivery[]): Promise<void>;
  /** Hands them back at once: a drain, or work that this worker will not get to. */
  giveBack(deliveries: readonly Delivery[]): Promise<void>;
  /** Messages waiting in a lane, about. */
  depth(pool: string, lane: Lane): Promise<number>;
  /** How long the one that has waited longest has waited, about; 0 where none waits, undefined where the queue cannot tell. */
  oldestMs(pool: string, lane: Lane): Promise<number | undefined>;
  /**
   * Takes in up to `max` messages that the queue itself gave up, as one that workers end over and over: their jobs end and are kept as dead letters. What cannot be read
   * now stays for the next call. Returns how many.
   */
  collectDead(max: number): Promise<number>;
  erase(tenant: string): Promise<void>;
}
