import { describe, expect, test } from 'vitest';
import { type ReleasePlan, readReleasePlan } from '../../../core/release/plan.ts';

function problems(plan: unknown): readonly string[] {
  const read = readReleasePlan(plan);
  return 'steps' in read ? [] : read;
}

describe('a release plan', () => {
  test('that says nothing is shadow 10 %, then 5, 25, 50 and 100 %, assigned by user, with a watch', () => {
    const plan = readReleasePlan({}) as ReleasePlan;
    expect(
      plan.steps.map((step) =>
        'shadow' in step ? { shadow: step.shadow } : 'setWeight' in step ? step.setWeight : step,
      ),
    ).toEqual([{ shadow: 10 }, 5, 25, 50, 100]);
    expect(plan).toMatchObject({ assignBy: 'user', watch: { seconds: 3600 }, limits: { crashes: 3, errorRate: 0.2 } });
    expect(plan.steps[1]).toMatchObject({
      hold: { seconds: 600, minRequests: 500, escalateAfterS: 3600 },
      analysis: true,
    });
  });

  test('takes named tenants and plans first, gates of one or two people, and its own limits', () => {
    expect(
      problems({
        assignBy: 'tenant',
        steps: [
          { shadow: 50, hold: { seconds: 5, minRequests: 20 } },
          { setWeight: { tenants: ['acme'] } },
          { setWeight: { plans: ['free'] }, analysis: false },
          { gate: { people: 2 } },
          { setWeight: 2.5 },
          { gate: {} },
          { setWeight: 100 },
        ],
        analysis: { latencyGrowth: 0.1 },
        limits: { crashes: 1 },
        watch: { seconds: 60 },
      }),
    ).toEqual([]);
  });

  test('lists everything that is wrong with it, and where', () => {
    const listed = problems({
      assignBy: 'session',
      steps: [
        { setWeight: 5, holds: {} },
        { shadow: 101 },
        { gate: { people: 3 } },
        { setWeight: 25, hold: { seconds: 0 } },
        { setWeight: 100 },
      ],
      analysis: { latencyGrowht: 1 },
    });
    for (const place of [
      'assignBy',
      'steps.0.holds',
      'steps.1.shadow',
      'steps.2.gate.people',
      'steps.3.hold.seconds',
      'analysis.latencyGrowht',
    ])
      expect(
        listed.some((problem) => problem.startsWith(`${place}:`)),
        `${place} in ${listed.join('\n')}`,
      ).toBe(true);
  });

  test.each([
    ['weights that shrink', [{ setWeight: 25 }, { setWeight: 5 }, { setWeight: 100 }], 'setWeight grows'],
    ['the same weight twice', [{ setWeight: 25 }, { setWeight: 25 }, { setWeight: 100 }], 'setWeight grows'],
    ['shadow after traffic', [{ setWeight: 5 }, { shadow: 10 }, { setWeight: 100 }], 'shadow comes before'],
    [
      'names after a percent',
      [{ setWeight: 5 }, { setWeight: { tenants: ['a'] } }, { setWeight: 100 }],
      'come before the first percent',
    ],
    ['an end before everybody', [{ setWeight: 50 }], 'the last step is setWeight: 100'],
    ['a gate as the end', [{ setWeight: 100 }, { gate: {} }], 'the last step is setWeight: 100'],
  ])('refuses %s', (_, steps, expected) => {
    expect(problems({ steps }).join('\n')).toContain(expected);
  });
});
