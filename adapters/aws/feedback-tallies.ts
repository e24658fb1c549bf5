import { asFailure } from '../../core/failure.ts';
import type { DataKeys } from '../../core/ports/data-keys.ts';
import type { DayTally, GivenFeedback, KeptPrediction, TallySpan } from '../../core/ports/feedbacks.ts';
import type { Log } from '../../core/ports/log.ts';
import { tallyContext } from '../../core/quality/feedback/kept-codec.ts';
import { TALLIES_KEPT_MS } from '../../core/quality/feedback/limits.ts';
import { FeedbackTally } from '../../core/quality/feedback/tally.ts';
import { DAY_MS, SECOND_MS } from '../../core/units.ts';
import { feedbackTallyBound, feedbackTallyKey, tallyPart } from './keys.ts';
import type { Item, Table, Write } from './table.ts';

type Parts = { readonly table: Table; readonly dataKeys: DataKeys; readonly log: Log };

/** What a tenant's feedback of a version and day comes to: a few items, each sealed whole and replaced on the condition that nobody else did meanwhile. */
export class FeedbackTallies {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The write that counts feedback, as long as nobody else's is counted. */
  async count(prediction: KeptPrediction, { labels, atMs }: GivenFeedback): Promise<Write> {
    const { table, dataKeys } = this.#parts;
    const { tenant, id, model, version, rows } = prediction;
    const [dayMs, part] = [Math.floor(atMs / DAY_MS) * DAY_MS, tallyPart(id)];
    const key = feedbackTallyKey(tenant, `${model}@${version}`, dayMs, part);
    const context = tallyContext(model, version, dayMs, part);
    const before = await table.get(key);
    const tally = (await this.#open(tenant, context, before)) ?? new FeedbackTally();
    for (const [at, row] of rows.entries()) tally.add(row, labels[at]!);
    const epoch = before === undefined ? 0 : Number(before.epoch);
    const item = {
      ...key,
      dayMs,
      part,
      epoch: epoch + 1,
      sealed: await dataKeys.seal(tenant, context, tally.encode()),
      ttl: Math.ceil((dayMs + TALLIES_KEPT_MS) / SECOND_MS),
    };
    const condition =
      before === undefined
        ? { text: 'attribute_not_exists(pk)' }
        : { text: 'epoch = :epoch', values: { ':epoch': epoch } };
    return { put: item, condition };
  }

  async list(tenant: string, { model, version, fromMs, untilMs }: TallySpan): Promise<readonly DayTally[]> {
    const of = `${model}@${version}`;
    const range = { after: feedbackTallyBound(of, fromMs), before: feedbackTallyBound(of, untilMs) };
    const days = new Map<number, FeedbackTally>();
    if (fromMs >= untilMs) return [];
    for await (const item of this.#parts.table.query(feedbackTallyKey(tenant, of, 0, 0).pk, range)) {
      const dayMs = Number(item.dayMs);
      const tally = await this.#open(tenant, tallyContext(model, version, dayMs, Number(item.part)), item);
      if (tally === undefined) continue;
      const merged = days.get(dayMs);
      if (merged === undefined) days.set(dayMs, tally);
      else merged.merge(tally);
    }
    return [...days].map(([dayMs, tally]) => ({ dayMs, tally }));
  }

  /** Undefined of what is not there or cannot be opened; the latter is logged unless its key was destroyed. */
  async #open(tenant: string, context: string, item: Item | undefined): Promise<FeedbackTally | undefined> {
    if (item === undefined) return undefined;
    try {
      return FeedbackTally.decode(await this.#parts.dataKeys.open(tenant, context, item.sealed as Uint8Array));
    } catch (error) {
      const { code } = asFailure(error);
      if (code === 'record-damaged') this.#parts.log.error('a feedback tally is left out', error, { tenant });
      else if (code !== 'data-erased') throw error;
      return undefined;
    }
  }
}
