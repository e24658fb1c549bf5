import { type AuditEntry, chainHash, follow, NO_HEAD } from '../../core/audit/entry.ts';
import type { Audits } from '../../core/ports/audits.ts';
import { type Fault, override } from './fault.ts';

export const BROKEN_AUDITS: readonly Fault<Audits>[] = [
  {
    fault: 'reads the end and then writes, in two steps',
    caughtBy: 'gives each of many appenders at once a place of its own, in one chain without gaps',
    breaks(audits) {
      let reading: Promise<AuditEntry | undefined> | undefined;
      return override(audits, {
        async append(draft) {
          reading ??= audits.newest(undefined, Number.MAX_SAFE_INTEGER, 1).then(([last]) => last);
          const last = await reading;
          const entry = follow(last ?? NO_HEAD, draft, last?.atMs ?? 0);
          await audits.append(draft);
          return entry;
        },
      });
    },
  },
  {
    fault: 'says that an entry is there before it is on the disk',
    caughtBy: 'keeps an entry whole, after a crash too, and goes on after it',
    breaks(audits) {
      let last: AuditEntry | undefined;
      return override(audits, {
        async append(draft) {
          last = follow(last ?? NO_HEAD, draft, 0);
          return last;
        },
      });
    },
  },
  {
    fault: 'takes the time of its writers as it comes',
    caughtBy: 'never lets times go backwards, whatever the clocks of its writers say',
    breaks: (audits) =>
      override(audits, { append: async (draft) => ({ ...(await audits.append(draft)), atMs: draft.atMs }) }),
  },
  {
    fault: 'shows a tenant the entries of all',
    caughtBy: 'walks in order from a place on, and reads from the end, of a tenant alone where one is named',
    breaks: (audits) => override(audits, { newest: (_, before, limit) => audits.newest(undefined, before, limit) }),
  },
  {
    fault: 'makes hashes as it reads instead of keeping them',
    caughtBy: 'shows where an entry was changed',
    breaks: (audits) =>
      override(audits, {
        async walk(from, limit) {
          let previous = NO_HEAD.hash;
          return (await audits.walk(from, limit)).map(({ seq, entry }) => {
            if (entry === undefined) return { seq, entry };
            previous = chainHash(entry, previous);
            return { seq, entry: { ...entry, hash: previous } };
          });
        },
      }),
  },
  {
    fault: 'takes the last entry for the head',
    caughtBy: 'shows where the end was cut off',
    breaks: (audits) =>
      override(audits, {
        async head() {
          const [last] = await audits.newest(undefined, Number.MAX_SAFE_INTEGER, 1);
          return last && { seq: last.seq, hash: last.hash };
        },
      }),
  },
];
