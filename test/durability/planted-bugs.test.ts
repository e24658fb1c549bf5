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

type Hunt = {
  readonly bug: BugName;
  /** What the reader may call it. */
  readonly breaches: readonly Breach[];
  /** What clients do, and where they are killed, so that it shows. */
  readonly focus: readonly Wish[];
  readonly killAt: readonly string[];
};

const AT_REST = ['workload:end'];
const HUNTS: readonly Hunt[] = [
  { bug: 'created-before-commit', breaches: ['job-lost'], focus: ['infer'], killAt: ['commit:before'] },
  { bug: 'message-not-persisted', breaches: ['job-lost'], focus: ['infer-overdue'], killAt: ['jobs.markQueued:after'] },
  { bug: 'cancelled-in-memory', breaches: ['cancelled-but-ran'], focus: ['infer', 'cancel'], killAt: AT_REST },
  {
    bug: 'claims-forgotten',
    breaches: ['two-jobs-of-one-key'],
    focus: ['infer-keyed', 'infer-again'],
    killAt: AT_REST,
  },
  { bug: 'rates-in-memory', breaches: ['quota-given-back'], focus: ['take', 'take'], killAt: AT_REST },
  {
    bug: 'record-before-commit',
    breaches: ['record-lost', 'record-went-back', 'half-made'],
    focus: ['create-tenant', 'create-key', 'change-tenant'],
    killAt: ['commit:before'],
  },
  { bug: 'push-before-commit', breaches: ['record-lost'], focus: ['push-later'], killAt: ['commit:before'] },
  { bug: 'quarantined-in-memory', breaches: ['quarantine-forgotten'], focus: ['infer-crash'], killAt: AT_REST },
  { bug: 'outcome-retold', breaches: ['outcome-changed'], focus: ['infer', 'read'], killAt: AT_REST },
];

test.each(HUNTS)('the reader finds out $bug', { timeout: 5 * MINUTE_MS }, async ({ breaches, ...plan }) => {
  const found: Breach[] = [];
  for (let seed = 1; seed <= MOST_STORIES && !breaches.some((breach) => found.includes(breach)); seed += 1) {
    const { verdict } = await runStory({ seed, incarnations: INCARNATIONS, ...plan });
    found.push(...verdict.breaches.map(({ breach }) => breach));
  }
  expect(found).toEqual(expect.arrayContaining([expect.toBeOneOf([...breaches])]));
});
