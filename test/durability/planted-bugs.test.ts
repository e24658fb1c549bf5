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
  readonly holdsSlowRuns?: boolean;
};

const AT_REST = ['workload:end'];
const HUNTS: readonly Hunt[] = [
  {
    bug: 'created-before-commit',
    breaches: ['job-lost'],
    focus: ['infer'],
    killAt: ['commit:before', 'told:accepted'],
  },
  {
    bug: 'message-not-persisted',
    breaches: ['job-lost'],
    focus: ['infer-overdue'],
    killAt: ['told:accepted'],
    holdsSlowRuns: true,
  },
  { bug: 'cancelled-in-memory', breaches: ['cancelled-but-ran'], focus: ['infer', 'cancel'], killAt: AT_REST },
  {
    bug: 'claims-forgotten',
    breaches: ['two-jobs-of-one-key'],
    focus: ['infer-keyed', 'infer-again'],
    killAt: AT_REST,
  },
  {
    bug: 'rates-in-memory',
    breaches: ['quota-given-back'],
    // Rows come back by one a second: not even a slow machine waits for as many as a restart gives back.
    focus: ['take', 'take', 'infer-rower', 'infer-rower'],
    killAt: AT_REST,
  },
  {
    bug: 'record-before-commit',
    breaches: ['record-lost', 'record-went-back', 'half-made'],
    // Keys first: a tenant's record is followed by its entry in the directory, whose commit gives it time.
    focus: ['create-key', 'create-tenant', 'change-tenant'],
    killAt: ['commit:before', 'told:done'],
  },
  {
    bug: 'push-before-commit',
    breaches: ['record-lost'],
    focus: ['push-later'],
    killAt: ['commit:before', 'told:done'],
  },
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
