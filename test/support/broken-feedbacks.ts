import type { Feedbacks, GivenFeedback, KeptPrediction } from '../../core/ports/feedbacks.ts';
import { DAY_MS } from '../../core/units.ts';
import { type Fault, override } from './fault.ts';

export const BROKEN_FEEDBACKS: readonly Fault<Feedbacks>[] = [
  {
    fault: 'keeps what is given in memory alone',
    caughtBy: 'gives back what was kept and what was given, every bit of it, after a crash too',
    breaks(feedbacks) {
      const given = new Map<string, GivenFeedback>();
      return override(feedbacks, {
        async give({ id }, feedback) {
          given.set(id, feedback);
          return true;
        },
        async read(tenant, id, nowMs) {
          const found = await feedbacks.read(tenant, id, nowMs);
          return typeof found === 'object' ? { ...found, given: given.get(id) } : found;
        },
      });
    },
  },
  {
    fault: 'leaves the lot out',
    caughtBy: 'gives back what was kept and what was given, every bit of it, after a crash too',
    breaks: (feedbacks) =>
      override(feedbacks, { keep: (kept) => feedbacks.keep(kept.map((each) => ({ ...each, lot: undefined }))) }),
  },
  {
    fault: 'finds predictions by id alone',
    caughtBy: "is asked by tenant: another one's prediction is none, and what it gave is counted for itself",
    breaks(feedbacks) {
      const tenants = new Map<string, string>();
      return override(feedbacks, {
        keep(kept) {
          for (const { id, tenant } of kept) tenants.set(id, tenant);
          return feedbacks.keep(kept);
        },
        read: (tenant, id, nowMs) => feedbacks.read(tenants.get(id) ?? tenant, id, nowMs),
      });
    },
  },
  {
    fault: 'says of everybody who gives at once that it was first',
    caughtBy: 'takes feedback once, however many give it at once, and counts it once',
    breaks: (feedbacks) =>
      override(feedbacks, {
        async give(prediction, given) {
          await feedbacks.give(prediction, given);
          return true;
        },
      }),
  },
  {
    fault: 'counts one of what comes at once',
    caughtBy: 'counts all of many predictions whose truth is told at once',
    breaks(feedbacks) {
      let giving: Promise<boolean> | undefined;
      return override(feedbacks, {
        give(prediction, given) {
          giving ??= feedbacks.give(prediction, given);
          return giving;
        },
      });
    },
  },
  {
    fault: 'tallies by when the answer was given',
    caughtBy: 'tallies by model, version and the UTC day on which feedback came, within the span that is asked for',
    breaks: (feedbacks) =>
      override(feedbacks, {
        give: (prediction, given) => feedbacks.give(prediction, { ...given, atMs: prediction.atMs }),
      }),
  },
  {
    fault: 'tallies of all versions together',
    caughtBy: 'tallies by model, version and the UTC day on which feedback came, within the span that is asked for',
    breaks: (feedbacks) =>
      override(feedbacks, {
        give: (prediction, given) => feedbacks.give({ ...prediction, version: '1' }, given),
      }),
  },
  {
    fault: 'forgets what was given when a prediction is kept again',
    caughtBy: 'to keep a prediction again changes nothing: feedback that was given stays',
    breaks(feedbacks) {
      const kept = new Map<string, KeptPrediction>();
      return override(feedbacks, {
        async keep(predictions) {
          for (const prediction of predictions) {
            const again = kept.has(prediction.id);
            kept.set(prediction.id, prediction);
            if (again) await feedbacks.erase(prediction.tenant);
          }
          await feedbacks.keep(predictions);
        },
      });
    },
  },
  {
    fault: 'takes feedback after the expiry',
    caughtBy: 'takes nothing from the expiry on, tells for a week that it is too late, and purges then',
    breaks: (feedbacks) =>
      override(feedbacks, {
        keep: (kept) => feedbacks.keep(kept.map((each) => ({ ...each, expiresAtMs: each.expiresAtMs + 30 * DAY_MS }))),
      }),
  },
  {
    fault: 'knows nothing of what was too late',
    caughtBy: 'takes nothing from the expiry on, tells for a week that it is too late, and purges then',
    breaks: (feedbacks) =>
      override(feedbacks, {
        async read(tenant, id, nowMs) {
          const found = await feedbacks.read(tenant, id, nowMs);
          return found === 'too-late' ? undefined : found;
        },
      }),
  },
  {
    fault: 'keeps late answers of an erased tenant',
    caughtBy:
      "erases a tenant's predictions, truths and tallies and no other's, and what is kept later of answers given before",
    breaks: (feedbacks) =>
      override(feedbacks, {
        keep: (kept) => feedbacks.keep(kept.map((each) => ({ ...each, atMs: each.atMs + 1000 }))),
      }),
  },
  {
    fault: 'leaves tallies of an erased tenant',
    caughtBy:
      "erases a tenant's predictions, truths and tallies and no other's, and what is kept later of answers given before",
    breaks(feedbacks) {
      let left: Awaited<ReturnType<Feedbacks['tallies']>> = [];
      return override(feedbacks, {
        async erase(tenant) {
          left = await feedbacks.tallies(tenant, { model: 'm', version: '1', fromMs: 0, untilMs: 1e15 });
          await feedbacks.erase(tenant);
        },
        tallies: async (tenant, span) => [...left, ...(await feedbacks.tallies(tenant, span))],
      });
    },
  },
];
