import type { AnswerStore, StoredAnswer } from '../../core/ports/answer-store.ts';
import { type Fault, override } from './fault.ts';

export const BROKEN_ANSWERS: readonly Fault<AnswerStore>[] = [
  {
    fault: "gives a tenant another's answer",
    caughtBy: 'gives an answer back to its tenant under its key alone, bit for bit, after a restart too',
    breaks: (answers) => override(answers, { read: (_, key, nowMs) => answers.read('acme', key, nowMs) }),
  },
  {
    fault: 'keeps answers in memory alone',
    caughtBy: 'gives an answer back to its tenant under its key alone, bit for bit, after a restart too',
    breaks(answers) {
      const kept = new Map<string, StoredAnswer>();
      return override(answers, {
        write: (tenant, key, answer) => void kept.set(`${tenant}/${key}`, answer),
        read: (tenant, key) => kept.get(`${tenant}/${key}`),
      });
    },
  },
  {
    fault: 'gives answers a millisecond too long',
    caughtBy: 'gives nothing from its expiry on, after a restart either',
    breaks: (answers) => override(answers, { read: (tenant, key, nowMs) => answers.read(tenant, key, nowMs - 1) }),
  },
  {
    fault: 'keeps the first answer of a key',
    caughtBy: 'gives the answer that was written last',
    breaks: (answers) =>
      override(answers, {
        async write(tenant, key, answer) {
          if ((await answers.read(tenant, key, 0)) === undefined) answers.write(tenant, key, answer);
        },
      }),
  },
  {
    fault: 'forgets nobody',
    caughtBy: "forgets a tenant's answers wherever they are, and no other's",
    breaks: (answers) => override(answers, { erase: async () => {} }),
  },
  {
    fault: 'forgets everybody',
    caughtBy: "forgets a tenant's answers wherever they are, and no other's",
    breaks: (answers) =>
      override(answers, {
        async erase(tenant) {
          for (const erased of [tenant, 'globex']) await answers.erase(erased);
        },
      }),
  },
  {
    fault: 'forgets what expires within the next minute too',
    caughtBy: 'forgets what has expired, and says how many',
    breaks: (answers) => override(answers, { purge: (nowMs) => answers.purge(nowMs + 60_000) }),
  },
];
