import { describe, expect, test } from 'vitest';
import type { ReleaseDetail } from '../../clients/typescript/schema.ts';
import { effectOf, standingOf, stepTitle, type Verb } from '../../console/src/pages/releases/release-words.ts';
import { stepStates } from '../../console/src/pages/releases/step-states.ts';
import { releaseDetailToJson } from '../../core/api/release-json.ts';
import { advance, type ReleaseEvent } from '../../core/release/advance.ts';
import type { Release } from '../../core/release/release.ts';
import { aStart } from '../support/release-start.ts';

const START_MS = Date.UTC(2026, 4, 1, 12);
const STEPS = [
  { shadow: 10 },
  { setWeight: { tenants: ['acme'] } },
  { setWeight: 25, hold: { seconds: 60, minRequests: 500, escalateAfterS: 600 } },
  { gate: { people: 2 } },
  { setWeight: 100 },
];
const WARM = { kind: 'capacity', version: '2', warm: 10_000 } as const;

function verb(name: Exclude<Verb, 'retry' | 'undo'>, by = 'user:ann'): ReleaseEvent {
  verbs += 1;
  return { kind: 'verb', id: `v${verbs}`, by, why: 'so', verb: name };
}
let verbs = 0;

/** As the API shows it after these events, ten seconds apart. */
function shown(events: readonly ReleaseEvent[], steps: readonly object[] = STEPS): ReleaseDetail {
  let nowMs = START_MS;
  const release = events.reduce<Release>(
    (before, event) => {
      nowMs += 10_000;
      const next = advance(before, event, nowMs);
      if (next.kind === 'unchanged') throw new Error(next.why);
      return next.release;
    },
    aStart(START_MS, { model: 'tickets', plan: { steps } }).release,
  );
  const detail = releaseDetailToJson(release, undefined, { by: 'user:ann', nowMs, usdPerComputeHour: 1 });
  return structuredClone(detail) as unknown as ReleaseDetail;
}

function effect(release: ReleaseDetail, name: Verb): string {
  const { after } = release.options.find((option) => option.verb === name)!;
  return effectOf(name, release, after!).join(' ');
}

const PROMOTE = () => verb('promote');

describe('where a release is', () => {
  test('says how much traffic is missing and until when it holds', () => {
    const release = shown([WARM, PROMOTE(), PROMOTE()]);
    const { headline, because } = standingOf(release, START_MS + 40_000);
    expect(headline).toBe('Step 3 of 5: version 2 answers 25 % of users, tenant acme');
    expect(because[0]).toMatch(/^Holds for 50 s more, until /);
    expect(because[1]).toBe('0 of 500 requests seen: 500 are missing.');
    const late = standingOf(release, START_MS + 30_000 + 60_000 + 1000);
    expect(late.because[0]).toBe('Its least time is over.');
    expect(late.because.at(-1)).toMatch(/^Nothing is known yet\. A person is asked in 9 min/);
  });

  test('says whom it waits for, at every kind of stop', () => {
    expect(standingOf(shown([]), START_MS).headline).toBe(
      'Step 1 of 5 (shadow 10 % of requests) waits for warm workers',
    );
    expect(standingOf(shown([]), START_MS).because[1]).toMatch(/it is rolled back\.$/);
    const gated = [WARM, PROMOTE(), PROMOTE(), PROMOTE()];
    expect(standingOf(shown(gated), START_MS).headline).toBe('Step 4 of 5 waits for 2 people to approve');
    expect(standingOf(shown([...gated, verb('approve')]), START_MS).headline).toContain('one more person');
    expect(standingOf(shown([WARM, verb('pause')]), START_MS + 30_000).headline).toMatch(/^Paused while stepping/);
    expect(standingOf(shown([WARM, verb('abort')]), START_MS)).toEqual({
      headline: 'Rolled back: version 1 answers',
      because: ['so'],
    });
  });
});

describe('what a verb brings about', () => {
  test('is named with the model, the version and whom it is sent to', () => {
    expect(effect(shown([WARM]), 'promote')).toBe(
      'Sends all requests of tenant acme of tickets to version 2, at once.',
    );
    const second = shown([WARM, PROMOTE()]);
    expect(effect(second, 'promote')).toBe('Sends 25 % of the users of tickets to version 2, at once.');
    expect(effect(second, 'promote-full')).toMatch(/^Goes to the gate of step 4: 2 people approve\./);
    expect(effect(second, 'abort')).toMatch(/^Sends 100 % of tickets back to version 1, within two seconds\./);
    const approved = shown([WARM, PROMOTE(), PROMOTE(), PROMOTE(), verb('approve', 'user:bob')]);
    expect(effect(approved, 'approve')).toBe('Sends 100 % of tickets to version 2, at once.');
  });

  test('waits for workers where they are not warm', () => {
    const cold = shown([{ ...WARM, warm: 1000 }, PROMOTE()]);
    expect(effect(cold, 'promote')).toBe(
      'Sends 25 % of the users of tickets to version 2, as soon as enough workers are warm for it.',
    );
  });
});

describe('the steps of a release', () => {
  const kinds = (release: ReleaseDetail) => stepStates(release).map(({ kind }) => kind);

  test('are done, present or to come, and tell when their traffic flowed', () => {
    const release = shown([WARM, PROMOTE(), PROMOTE()]);
    expect(kinds(release)).toEqual(['done', 'done', 'now', 'ahead', 'ahead']);
    expect(stepStates(release)[0]).toMatchObject({ fromMs: START_MS + 10_000, untilMs: START_MS + 20_000 });
    expect(stepStates(release)[2]).toMatchObject({ fromMs: START_MS + 30_000, untilMs: undefined });
  });

  test('that were passed over are told from those that were gone through', () => {
    const steps = [{ setWeight: 5 }, { setWeight: 25 }, { setWeight: 100 }];
    expect(kinds(shown([WARM, verb('promote-full')], steps))).toEqual(['done', 'skipped', 'done']);
  });

  test('end where the traffic was when it was rolled back', () => {
    expect(kinds(shown([WARM, PROMOTE(), verb('abort')]))).toEqual(['done', 'ended-here', 'ahead', 'ahead', 'ahead']);
    expect(kinds(shown([verb('abort')]))).toEqual(['ended-here', 'ahead', 'ahead', 'ahead', 'ahead']);
  });

  test('have names in the plan’s own units', () => {
    const plan = { assignBy: 'tenant' } as const;
    const title = (step: object) => stepTitle(step as Parameters<typeof stepTitle>[0], plan);
    expect(title({ setWeight: 5 })).toBe('5 % of tenants');
    expect(title({ setWeight: 100 })).toBe('Everybody');
    expect(title({ setWeight: { plans: ['gold', 'free'] } })).toBe('Only plans gold, free');
  });
});
