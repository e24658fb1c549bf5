import type { Job } from '../../core/inference/job.ts';
import type { DeadLetter, DeadLetters } from '../../core/ports/dead-letters.ts';
import { type Fault, override } from './fault.ts';

export const BROKEN_DEAD_LETTERS: readonly Fault<DeadLetters>[] = [
  {
    fault: 'says that a letter is there before it is on the disk',
    caughtBy: 'keeps a letter and its job whole, after a crash too',
    breaks(letters) {
      const early = new Map<string, [DeadLetter, Job | undefined]>();
      return override(letters, {
        add: async (letter, job) => void early.set(letter.id, [letter, job]),
        read: async (_, id) => early.get(id)?.[0],
      });
    },
  },
  {
    fault: 'offers to run what nothing is left of',
    caughtBy: 'keeps one of which no job is left, and says so',
    breaks: (letters) =>
      override(letters, {
        read: async (...asked) => {
          const letter = await letters.read(...asked);
          return letter && { ...letter, redrivable: true };
        },
      }),
  },
  {
    fault: 'lets the last one that dies replace the first',
    caughtBy: 'leaves the first as it is when it dies again, also at the same time',
    breaks: (letters) =>
      override(letters, {
        async add(letter, job) {
          await letters.remove(letter.tenant, letter.id);
          await letters.add(letter, job);
        },
      }),
  },
  {
    fault: 'lists a tenant the letters of all',
    caughtBy: 'lists the newest first, page by page, of a tenant or a pool alone where one is named',
    breaks: (letters) => override(letters, { list: ({ pool }, ...asked) => letters.list({ pool }, ...asked) }),
  },
  {
    fault: 'shows what has expired until it is purged',
    caughtBy: 'shows nothing that is 14 days old',
    breaks: (letters) =>
      override(letters, { list: (query, limit, _, cursor) => letters.list(query, limit, 0, cursor) }),
  },
  {
    fault: 'says of everybody that it removed it',
    caughtBy: 'knows a letter of its own tenant alone, and removes it once',
    breaks: (letters) =>
      override(letters, {
        async remove(tenant, id) {
          await letters.remove(tenant, id);
          return true;
        },
      }),
  },
  {
    fault: "forgets to erase a tenant's",
    caughtBy: "erases a tenant's and no other's; what was sealed before cannot be opened once its key is gone",
    breaks: (letters) => override(letters, { erase: async () => {} }),
  },
];
