import type { Release } from '../release/release.ts';
import type { Page } from './registry.ts';

/** Who did what to a release, when and why. Written with the change that it tells of, never without, and never changed. */
export type ReleaseAudit = {
  readonly release: string;
  readonly model: string;
  /** Epoch of the release that this change made. */
  readonly epoch: number;
  readonly atMs: number;
  /** Principal id, or `sluice` of what it did by itself. */
  readonly by: string;
  readonly what: string;
  readonly why: string;
};

/**
 * The releases of one region. Reads are strong; writes are durable when they resolve. A record that cannot be read throws `record-damaged` and
 * affects no other.
 */
export interface Releases {
  /**
   * Adds a release of epoch 1 with its audit, both or neither. `already-exists` if the id is taken, `state-conflict` if another release of the
   * model is active (`isActive`): of two that start at once one wins.
   */
  start(release: Release, audits: readonly ReleaseAudit[]): Promise<void>;
  /**
   * Replaces a release and adds audits, both or neither, on the condition that the stored epoch is `release.epoch - 1`: else `state-conflict`. A release that
   * becomes active again (a retry, an undo) needs that no other of its model is: `state-conflict`. One that ends leaves the model free
   * for the next with the same write.
   */
  write(release: Release, audits: readonly ReleaseAudit[]): Promise<void>;
  read(id: string): Promise<Release | undefined>;
  /** The active release of a model, or the one that ended last. What gateways and workers read, at most once a second each. */
  readLatest(model: string): Promise<Release | undefined>;
  /** All active releases, whose versions are kept warm. */
  listActive(): Promise<readonly Release[]>;
  /** The active ones, and of each model the last one that has ended and is not settled: what a driver takes up again after a crash. */
  listOpen(): Promise<readonly Release[]>;
  /** What the end of a release asks for is done: it is open no more. Nothing where another one came after it, or its epoch is another one. */
  settle(release: Release): Promise<void>;
  /** A model's, the newest first. */
  list(model: string, limit: number, cursor?: string): Promise<Page<Release>>;
  /** Of all models, the newest start first. */
  listRecent(limit: number, cursor?: string): Promise<Page<Release>>;
  /** In order of epoch. */
  listAudits(id: string, limit: number, cursor?: string): Promise<Page<ReleaseAudit>>;
}
