import { expect, test } from 'vitest';
import { MINUTE_MS } from '../../core/units.ts';
import type { Wish } from '../support/durability/choose.ts';
import type { BugName } from '../support/durability/planted-bugs.ts';
import { runStory } from '../support/durability/story.ts';
import type { Breach } from '../support/durability/verdict.ts';

/** Short stories: about 2 s each on an idle machine. */
const INCARNATIONS = 10;
/** A bug that shows in half of them stays unseen in all of these once in a thousand runs. */
const MOST_STORIES = 10;

const FOUND_AS: readonly (readonly [BugName, readonly Breach[], readonly Wish[]])[] = [
  ['created-before-commit', ['job-lost'], ['infer']],
  ['message-not-persisted', ['job-lost'], ['infer-overdue']],
  ['cancelled-in-memory', ['cancelled-but-ran'], ['infer', 'cancel']],
  ['claims-forgotten', ['two-jobs-of-one-key'], ['infer-keyed', 'infer-again']],
  ['rates-in-memory', ['quota-given-back'], ['take', 'take']],
  [
    'key-before-commit',
    ['record-lost', 'record-went-back', 'half-made'],
    ['create-tenant', 'create-key', 'set-stable'],
  ],
  ['quarantined-in-memory', ['quarantine-forgotten'], ['infer-crash']],
  ['outcome-retold', ['outcome-changed'], ['infer', 'read']],
];

test.each(FOUND_AS)('the reader finds out %s', { timeout: 5 * MINUTE_MS }, async (bug, breaches, focus) => {
  const found: Breach[] = [];
  for (let seed = 1; seed <= MOST_STORIES && !breaches.some((breach) => found.includes(breach)); seed += 1) {
    const { verdict } = await runStory({ seed, incarnations: INCARNATIONS, bug, focus });
    found.push(...verdict.breaches.map(({ breach }) => breach));
  }
  expect(found).toEqual(expect.arrayContaining([expect.toBeOneOf([...breaches])]));
});
