import { z } from 'zod';
import { asFailure, Failure } from '../../core/failure.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { DataKeys } from '../../core/ports/data-keys.ts';
import type {
  DayTally,
  Feedbacks,
  FoundPrediction,
  GivenFeedback,
  KeptPrediction,
  TallySpan,
} from '../../core/ports/feedbacks.ts';
import type { Log } from '../../core/ports/log.ts';
import {
  decodeGiven,
  decodeKept,
  encodeGiven,
  encodeKept,
  keptContext,
} from '../../core/quality/feedback/kept-codec.ts';
import { TOLD_LATE_MS } from '../../core/quality/feedback/limits.ts';
import { DAY_MS, SECOND_MS } from '../../core/units.ts';
import { FeedbackTallies } from './feedback-tallies.ts';
import { feedbackErasureKey, feedbackPartition, keptPredictionKey, truthKey } from './keys.ts';
import { parseItem } from './parse-item.ts';
import type { Item, Table } from './table.ts';

/** Feedback of one tenant and day that comes at one moment: each try of one lets at least one of a part through. */
const MOST_TRIES = 10;
const RETRY_MS = 40;

const itemSchema = z.object({
  model: z.string(),
  modelVersion: z.string(),
  atMs: z.number(),
  expiresAtMs: z.number(),
  sealed: z.instanceof(Uint8Array),
});
const truthSchema = z.object({ sealed: z.instanceof(Uint8Array) });

type Parts = { readonly table: Table; readonly dataKeys: DataKeys; readonly clock: Clock; readonly log: Log };

/**
 * An item a prediction in the jobs table, an item its truth, and a few for what a day comes to: a prediction costs a write, feedback a read and a transaction of
 * three items. Expired ones are deleted by the table, and not shown before.
 */
export class AwsFeedbacks implements Feedbacks {
  readonly #parts: Parts;
  readonly #tallies: FeedbackTallies;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#tallies = new FeedbackTallies(parts);
  }

  async keep(predictions: readonly KeptPrediction[]): Promise<void> {
    const { table } = this.#parts;
    await table.putMany(await Promise.all(predictions.map((kept) => this.#toItem(kept))));
    // After the write: an erasure that comes later finds the items, one that came before is found here.
    const erasedMs = await this.#readErasures(predictions);
    const erased = predictions.filter(({ tenant, atMs }) => atMs <= (erasedMs.get(tenant) ?? Number.NEGATIVE_INFINITY));
    if (erased.length > 0) await table.deleteMany(erased.map(({ tenant, id }) => keptPredictionKey(tenant, id)));
  }

  async read(tenant: string, id: string, nowMs: number): Promise<FoundPrediction | 'too-late' | undefined> {
    const keys = [keptPredictionKey(tenant, id), truthKey(tenant, id)];
    const items = await this.#parts.table.getMany(keys);
    const [kept, truth] = keys.map(({ sk }) => items.find((item) => item.sk === sk));
    if (kept === undefined || Number(kept.expiresAtMs) + TOLD_LATE_MS <= nowMs) return undefined;
    return Number(kept.expiresAtMs) <= nowMs ? 'too-late' : this.#open(tenant, id, kept, truth);
  }

  async give(prediction: KeptPrediction, given: GivenFeedback): Promise<boolean> {
    const { tenant, id, expiresAtMs } = prediction;
    if (expiresAtMs <= given.atMs) return false;
    const { table, dataKeys, clock } = this.#parts;
    const sealed = await dataKeys.seal(tenant, keptContext('truth', prediction), encodeGiven(given));
    const truth = { ...truthKey(tenant, id), sealed, ttl: ttlOf(expiresAtMs + TOLD_LATE_MS) };
    const kept = { check: keptPredictionKey(tenant, id), condition: { text: 'attribute_exists(pk)' } };
    const first = { put: truth, condition: { text: 'attribute_not_exists(pk)' } };
    for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
      const counted = await this.#tallies.count(prediction, given);
      const answer = await table.transact(kept, first, counted);
      if (answer === 'written') return true;
      if (answer === 'refused' && !(await this.#isOpen(tenant, id))) return false;
      await clock.sleep(RETRY_MS * tries * Math.random());
    }
    throw new Failure('overloaded', { retryAfterMs: SECOND_MS, detail: 'much feedback of one tenant at once' });
  }

  tallies(tenant: string, span: TallySpan): Promise<readonly DayTally[]> {
    return this.#tallies.list(tenant, span);
  }

  async erase(tenant: string): Promise<void> {
    const { table, clock } = this.#parts;
    const nowMs = clock.nowMs();
    await table.put({ ...feedbackErasureKey(tenant), tenant, erasedAtMs: nowMs, ttl: ttlOf(nowMs + DAY_MS) });
    await table.deleteAll(feedbackPartition(tenant));
    // Feedback that was on its way while its prediction was deleted; from now on there is nothing to give any for.
    await table.deleteAll(feedbackPartition(tenant));
  }

  /** Nothing: the table deletes by `ttl`. */
  async purge(): Promise<number> {
    return 0;
  }

  async #toItem(kept: KeptPrediction) {
    const { tenant, id, model, version: modelVersion, atMs, expiresAtMs } = kept;
    const sealed = await this.#parts.dataKeys.seal(tenant, keptContext('prediction', kept), encodeKept(kept));
    const ttl = ttlOf(expiresAtMs + TOLD_LATE_MS);
    return { ...keptPredictionKey(tenant, id), model, modelVersion, atMs, expiresAtMs, sealed, ttl };
  }

  async #readErasures(predictions: readonly KeptPrediction[]): Promise<ReadonlyMap<string, number>> {
    const tenants = [...new Set(predictions.map(({ tenant }) => tenant))];
    const items = await this.#parts.table.getMany(tenants.map(feedbackErasureKey));
    return new Map(items.map(({ tenant, erasedAtMs }) => [String(tenant), Number(erasedAtMs)]));
  }

  /** True while feedback may be given: then another one's was counted meanwhile. */
  async #isOpen(tenant: string, id: string): Promise<boolean> {
    const items = await this.#parts.table.getMany([keptPredictionKey(tenant, id), truthKey(tenant, id)]);
    return items.length === 1 && items[0]!.sk === keptPredictionKey(tenant, id).sk;
  }

  /** Undefined of what was sealed under a key that is destroyed. */
  async #open(tenant: string, id: string, kept: Item, truth: Item | undefined): Promise<FoundPrediction | undefined> {
    const { modelVersion: version, sealed, ...plain } = parseItem(itemSchema, kept);
    const open = (what: 'prediction' | 'truth', bytes: Uint8Array) =>
      this.#parts.dataKeys.open(tenant, keptContext(what, { id, version, ...plain }), bytes);
    try {
      const prediction = { tenant, id, version, ...plain, ...decodeKept(await open('prediction', sealed)) };
      if (truth === undefined) return { prediction, given: undefined };
      return { prediction, given: decodeGiven(await open('truth', parseItem(truthSchema, truth).sealed)) };
    } catch (error) {
      if (asFailure(error).code === 'data-erased') return undefined;
      throw error;
    }
  }
}

function ttlOf(ms: number): number {
  return Math.ceil(ms / SECOND_MS);
}
