import type { Capture, Captures } from '../../core/ports/captures.ts';
import { DAY_MS } from '../../core/units.ts';
import { type Fault, override } from './fault.ts';

export const BROKEN_CAPTURES: readonly Fault<Captures>[] = [
  {
    fault: 'keeps captures in memory alone',
    caughtBy: 'gives back what was written, every bit of it, after a crash too',
    breaks(captures) {
      const kept: Capture[] = [];
      return override(captures, {
        async write(capture) {
          kept.push(capture);
        },
        list: async () => kept,
      });
    },
  },
  {
    fault: 'lists the oldest first',
    caughtBy: 'lists the newest of a model first, of all tenants or of one, and no more than asked for',
    breaks: (captures) =>
      override(captures, { list: async (...asked) => (await captures.list(...asked)).toReversed() }),
  },
  {
    fault: "shows one tenant another's",
    caughtBy: 'lists the newest of a model first, of all tenants or of one, and no more than asked for',
    breaks: (captures) => override(captures, { list: (model, limit, nowMs) => captures.list(model, limit, nowMs) }),
  },
  {
    fault: 'keeps one prediction twice',
    caughtBy: 'keeps the first of two with one id, and the same id of another tenant beside it',
    breaks(captures) {
      let written = 0;
      return override(captures, {
        write(capture) {
          written += 1;
          return captures.write({ ...capture, id: `${capture.id} ${written}` });
        },
      });
    },
  },
  {
    fault: 'goes on showing what has expired',
    caughtBy: 'has forgotten a capture at its expiry, not before, and purges those and no others',
    breaks: (captures) =>
      override(captures, {
        list: (model, limit, nowMs, tenant) => captures.list(model, limit, nowMs - DAY_MS, tenant),
      }),
  },
  {
    fault: 'purges too early',
    caughtBy: 'has forgotten a capture at its expiry, not before, and purges those and no others',
    breaks: (captures) => override(captures, { purge: (nowMs) => captures.purge(nowMs + DAY_MS) }),
  },
  {
    fault: 'counts all models of a tenant together',
    caughtBy: 'keeps the newest ten thousand of a tenant and model, whenever they were written, and all of the others',
    breaks: (captures) =>
      override(captures, {
        write: (capture) => captures.write({ ...capture, model: 'm' }),
        list: (_, ...asked) => captures.list('m', ...asked),
      }),
  },
  {
    fault: 'erases of one model only',
    caughtBy: "erases a tenant's and no other's, those too that are written afterwards of predictions made before",
    breaks(captures) {
      const erased = new Set<string>();
      return override(captures, {
        async erase(tenant) {
          erased.add(tenant);
        },
        list: async (model, ...asked) =>
          (await captures.list(model, ...asked)).filter(({ tenant }) => model !== 'm' || !erased.has(tenant)),
      });
    },
  },
  {
    fault: 'keeps what is written after an erasure',
    caughtBy: "erases a tenant's and no other's, those too that are written afterwards of predictions made before",
    breaks: (captures) => override(captures, { write: (capture) => captures.write({ ...capture, atMs: Infinity }) }),
  },
];
