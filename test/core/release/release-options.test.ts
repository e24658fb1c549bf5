import { expect, test } from 'vitest';
import { advance, type ReleaseEvent } from '../../../core/release/advance.ts';
import type { Release } from '../../../core/release/release.ts';
import { optionsOf } from '../../../core/release/release-options.ts';
import { aStart } from '../../support/release-start.ts';

const NOW_MS = 1_000_000;
const STEPS = [{ setWeight: 5 }, { gate: { people: 2 } }, { setWeight: 100 }];
const WARM = { kind: 'capacity', version: '2', warm: 10_000 } as const;

function after(...events: readonly ReleaseEvent[]): Release {
  return events.reduce<Release>(
    (release, event) => {
      const next = advance(release, event, NOW_MS);
      if (next.kind === 'unchanged') throw new Error(next.why);
      return next.release;
    },
    aStart(NOW_MS, { plan: { steps: STEPS } }).release,
  );
}

function option(release: Release, verb: string, by = 'user:ann') {
  return optionsOf(release, by, NOW_MS).find((one) => one.verb === verb);
}

function verb(name: 'promote' | 'approve' | 'pause' | 'abort', by = 'user:ann') {
  return { kind: 'verb', id: `${name} ${by}`, by, why: 'so', verb: name } as const;
}

test('an option is what the verb itself would do, and changes nothing', () => {
  const release = after(WARM);
  const before = structuredClone(release);
  for (const found of optionsOf(release, 'user:ann', NOW_MS)) {
    if (found.kind === 'refused') continue;
    expect(found.after.state.kind).toBe(
      {
        promote: 'gated',
        'promote-full': 'gated',
        pause: 'paused',
        abort: 'rolled-back',
        undo: 'rolled-back',
        resume: '',
        approve: '',
        retry: '',
      }[found.verb],
    );
  }
  expect(release).toEqual(before);
});

test('a verb that the state does not allow says why', () => {
  expect(option(after(), 'promote')).toEqual({
    verb: 'promote',
    kind: 'refused',
    why: 'the candidate is not warm enough yet',
  });
  expect(option(after(WARM, verb('pause')), 'promote')).toMatchObject({ kind: 'refused' });
  expect(option(after(WARM, verb('abort')), 'abort')).toMatchObject({ kind: 'refused' });
  expect(option(after(WARM, verb('abort')), 'retry')).toMatchObject({ kind: 'possible' });
});

test('a gate is open to whoever has not approved it, and closed to whoever has', () => {
  const waiting = after(WARM, verb('promote'), verb('approve'));
  expect(option(waiting, 'approve', 'user:ann')).toMatchObject({ kind: 'refused' });
  expect(option(waiting, 'approve', 'user:bob')).toMatchObject({
    kind: 'possible',
    after: { state: { kind: 'watching' } },
  });
});

test('a segment tells which step it was of', () => {
  const release = after(WARM, verb('promote'), verb('approve'), verb('approve', 'user:bob'));
  expect(release.segments).toMatchObject([
    { step: 0, weight: 500, untilMs: NOW_MS },
    { step: 2, weight: 10_000 },
  ]);
});
