import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { advance, type ReleaseEvent } from '../../../core/release/advance.ts';
import { BUCKETS } from '../../../core/release/assign.ts';
import { type ReleasePlan, readReleasePlan } from '../../../core/release/plan.ts';
import {
  desiredOf,
  isActive,
  lotOf,
  neededFor,
  type Release,
  releaseSchema,
  routeOf,
  stepOf,
} from '../../../core/release/release.ts';
import { startRelease } from '../../../core/release/start.ts';
import type { Verb } from '../../../core/release/verbs.ts';
import type { Verdict } from '../../../core/release/verdict.ts';

const HOLD = { seconds: 60, minRequests: 100, escalateAfterS: 300 };
const PLAN = readReleasePlan({
  steps: [
    { shadow: 10, hold: HOLD },
    { setWeight: { tenants: ['acme'] }, hold: HOLD },
    { setWeight: 5, hold: HOLD },
    { gate: { people: 2, timeoutS: 3600 } },
    { setWeight: 50, hold: HOLD },
    { setWeight: 100 },
  ],
  watch: { seconds: 600 },
  warmWithinS: 900,
}) as ReleasePlan;
const GATE = 3;

function started(plan = PLAN): Release {
  return startRelease({ id: 'rel_1', model: 'm', stable: '1', candidate: '2', plan, by: 'key:a', why: 'better' }, 0)
    .release;
}

function verdictOf(outcome: Verdict['outcome'], looks = { total: 1, inStep: 1 }): Verdict {
  return { outcome, sentence: `it is ${outcome}`, checks: [], requests: 200, looks };
}

let verbs = 0;
function verb(name: 'promote' | 'promote-full' | 'pause' | 'resume' | 'abort' | 'approve', by = 'key:a'): Verb {
  verbs += 1;
  return { kind: 'verb', id: `verb_${verbs}`, by, why: 'because', verb: name };
}

function apply(release: Release, event: ReleaseEvent, nowMs: number): Release {
  const next = advance(release, event, nowMs);
  return next.kind === 'changed' ? next.release : release;
}

const warm = (buckets: number): ReleaseEvent => ({ kind: 'capacity', version: '2', warm: buckets });
const judged = (release: Release, outcome: Verdict['outcome']): ReleaseEvent => ({
  kind: 'verdict',
  stateEpoch: release.stateEpoch,
  verdict: verdictOf(outcome),
});

/** Lets every step pass, and two people approve. */
function promoted(until: (release: Release) => boolean = () => false): { release: Release; nowMs: number } {
  let [release, nowMs] = [apply(started(), warm(BUCKETS), 1), 1];
  for (let turn = 0; turn < 60 && isActive(release) && !until(release); turn += 1) {
    nowMs += 61_000;
    release = apply(release, { kind: 'tick' }, nowMs);
    if (release.state.kind === 'stepping') release = apply(release, judged(release, 'pass'), nowMs);
    if (release.state.kind === 'gated' && !until(release)) {
      release = apply(release, verb('approve', 'user:x'), nowMs);
      release = apply(release, verb('approve', 'user:y'), nowMs);
    }
  }
  return { release, nowMs };
}

describe('a release', () => {
  test('that passes every step reaches everybody, and ends after the watch', () => {
    const watching = promoted(({ state }) => state.kind === 'watching').release;
    expect(routeOf(watching)).toMatchObject({ serving: '1', candidate: '2', share: { weight: BUCKETS } });
    expect(desiredOf(watching, 0).warm).toEqual(
      new Map([
        ['1', BUCKETS],
        ['2', BUCKETS],
      ]),
    );
    const { release } = promoted();
    expect(release.state.kind).toBe('promoted');
    expect(routeOf(release)).toMatchObject({ serving: '2', candidate: undefined, revoked: undefined });
  });

  test('gives the candidate no traffic before it is warm, and rolls back one that never is', () => {
    const release = started();
    expect([release.state.kind, release.shadow, release.share.weight]).toEqual(['scaling', 0, 0]);
    expect(apply(release, warm(999), 10).state.kind).toBe('scaling');
    expect(apply(release, warm(1000), 10)).toMatchObject({ state: { kind: 'stepping', step: 0 }, shadow: 1000 });
    expect(apply(release, { kind: 'tick' }, 900_000)).toMatchObject({ state: { kind: 'rolled-back', to: '1' } });
  });

  test('scales before it shifts: a step waits for its capacity with the traffic as it was', () => {
    const at5 = promoted(({ state }) => state.kind === 'stepping' && state.step === 2).release;
    const cut = apply(at5, warm(600), 2e9);
    const gated = apply(apply(cut, judged(cut, 'pass'), 3e9), verb('approve', 'user:x'), 3e9);
    const waiting = apply(gated, verb('approve', 'user:y'), 3e9);
    expect(waiting).toMatchObject({ state: { kind: 'scaling', step: 4 }, share: { weight: 500 } });
    expect(desiredOf(waiting, 3e9).warm.get('2')).toBe(5000);
    expect(apply(waiting, warm(5000), 3e9)).toMatchObject({
      state: { kind: 'stepping', step: 4 },
      share: { weight: 5000 },
    });
  });

  test('takes traffic back for which the candidate has lost its capacity, and waits for it again', () => {
    const at50 = promoted(({ state }) => state.kind === 'stepping' && state.step === 4).release;
    const reduced = apply(at50, warm(1200), 4e9);
    expect(reduced).toMatchObject({ state: { kind: 'scaling', step: 4 }, share: { weight: 1200 } });
    expect(apply(reduced, warm(0), 4e9).share).toEqual({ weight: 0, tenants: [], plans: [] });
  });

  test('holds where a verdict is inconclusive, then leaves it to a person; no verdict at all is no pass', () => {
    const first = apply(started(), warm(BUCKETS), 0);
    expect(apply(first, judged(first, 'inconclusive'), 100_000).state.kind).toBe('stepping');
    expect(apply(first, judged(first, 'inconclusive'), 360_000)).toMatchObject({
      state: { kind: 'escalated', step: 0 },
      shadow: 1000,
    });
    expect(apply(first, { kind: 'tick' }, 359_999).state.kind).toBe('stepping');
    const escalated = apply(first, { kind: 'tick' }, 360_000);
    expect(escalated.state.kind).toBe('escalated');
    expect(apply(escalated, verb('promote'), 400_000)).toMatchObject({ state: { kind: 'stepping', step: 1 } });
  });

  test('does not end a hold early for a verdict that passes', () => {
    const first = apply(started(), warm(BUCKETS), 0);
    const early = apply(first, judged(first, 'pass'), 59_999);
    expect(early.state).toMatchObject({ kind: 'stepping', step: 0 });
    expect(apply(early, judged(early, 'pass'), 60_000).state).toMatchObject({ kind: 'stepping', step: 1 });
  });

  test('is rolled back by a failing verdict and by a hard limit, even while it is paused', () => {
    const paused = apply(apply(started(), warm(BUCKETS), 0), verb('pause'), 10);
    for (const event of [judged(paused, 'fail'), { kind: 'hard-limit', attempt: 1, why: 'crashes' } as const]) {
      expect(routeOf(apply(paused, event, 20))).toMatchObject({
        serving: '1',
        candidate: undefined,
        shadow: 0,
        revoked: '2',
      });
    }
    expect(apply(paused, { kind: 'hard-limit', attempt: 0, why: 'late' }, 20)).toBe(paused);
  });

  test('passes a gate for two only by two different people, and is rolled back where they do not come', () => {
    const gated = promoted(({ state }) => state.kind === 'gated').release;
    const once = apply(gated, verb('approve', 'user:x'), 5e9);
    expect(apply(once, verb('approve', 'user:x'), 5e9)).toEqual(once);
    expect(apply(once, verb('promote'), 5e9)).toBe(once);
    expect(apply(once, verb('promote-full'), 5e9)).toBe(once);
    expect(apply(once, verb('approve', 'user:y'), 5e9).state).toMatchObject({ step: 4 });
    expect(apply(once, { kind: 'tick' }, 9e9).state.kind).toBe('rolled-back');
  });

  test('promoted to everybody skips holds but no gate, and an abort after that is heard', () => {
    const first = apply(started(), warm(BUCKETS), 0);
    const gated = apply(first, verb('promote-full'), 10);
    expect(gated.state).toMatchObject({ kind: 'gated', step: GATE, full: true });
    const full = apply(apply(gated, verb('approve', 'user:x'), 20), verb('approve', 'user:y'), 20);
    expect(full).toMatchObject({ state: { kind: 'watching' }, share: { weight: BUCKETS } });
    expect(routeOf(apply(full, verb('abort'), 30))).toMatchObject({ serving: '1', candidate: undefined });
  });

  test('keeps what was left of a hold over a pause', () => {
    const first = apply(started(), warm(BUCKETS), 0);
    const resumed = apply(apply(first, verb('pause'), 20_000), verb('resume'), 1_000_000);
    expect(resumed.state).toEqual({ kind: 'stepping', step: 0, untilMs: 1_040_000 });
  });

  test('goes back in one step to any version, at once to the warm one, else once it is warm or has had its time', () => {
    const undo = (to: string): ReleaseEvent => ({
      kind: 'verb',
      id: `undo ${to}`,
      by: 'key:a',
      why: 'bad',
      verb: 'undo',
      to,
    });
    const { release, nowMs } = promoted();
    const undoing = apply(release, undo('1'), nowMs);
    expect(routeOf(undoing)).toMatchObject({ serving: '2', revoked: undefined });
    expect(desiredOf(undoing, nowMs).warm.get('1')).toBe(BUCKETS);
    const back = apply(undoing, { kind: 'capacity', version: '1', warm: BUCKETS }, nowMs + 5);
    expect(routeOf(back)).toMatchObject({ serving: '1', revoked: '2' });
    expect(routeOf(apply(undoing, { kind: 'tick' }, nowMs + 900_000))).toMatchObject({ serving: '1' });
    const active = apply(started(), warm(BUCKETS), 0);
    expect(apply(active, undo('1'), 5).state).toMatchObject({ kind: 'rolled-back', to: '1' });
    expect(routeOf(apply(active, undo('7'), 5))).toMatchObject({ serving: '1', candidate: undefined, revoked: '2' });
  });

  test('is tried again with a new lot, once for each attempt', () => {
    const aborted = apply(apply(started(), warm(BUCKETS), 0), verb('abort'), 5);
    const retry = (id: string): ReleaseEvent => ({
      kind: 'verb',
      id,
      by: 'key:a',
      why: 'mended',
      verb: 'retry',
      attempt: 1,
    });
    const again = apply(aborted, retry('r1'), 10);
    expect(again).toMatchObject({
      attempt: 2,
      state: { kind: 'scaling', step: 0 },
      segments: [],
      looks: { total: 0 },
      warm: 0,
    });
    expect(lotOf(again)).not.toBe(lotOf(aborted));
    const abortedAgain = apply(again, verb('abort'), 15);
    expect(apply(abortedAgain, retry('r2'), 20)).toBe(abortedAgain);
  });

  test('marks every time in which its share stayed the same', () => {
    const { release } = promoted();
    expect(release.segments.map(({ weight, shadow }) => [weight, shadow])).toEqual([
      [1000, true],
      [0, false],
      [500, false],
      [5000, false],
      [10_000, false],
    ]);
    for (const [at, { untilMs }] of release.segments.slice(0, -1).entries())
      expect(untilMs).toBe(release.segments[at + 1]!.fromMs);
  });
});

type Happening = { readonly kind: string; readonly pick: number; readonly waitMs: number };
const happening: fc.Arbitrary<Happening> = fc.record({
  kind: fc.constantFrom(
    'tick',
    'tick',
    'pass',
    'pass',
    'pass',
    'inconclusive',
    'fail',
    'late',
    'hard-limit',
    'capacity',
    'capacity',
    'promote',
    'promote-full',
    'pause',
    'resume',
    'approve',
    'approve',
    'abort',
    'retry',
    'undo',
    'again',
    'lost',
  ),
  pick: fc.nat(100),
  waitMs: fc.constantFrom(0, 1, 1000, 60_000, 400_000, 1_000_000),
});

/** An event for what happens, as whoever sends it knows the release: `seen` are all states so far. */
function eventOf({ kind, pick }: Happening, seen: readonly Release[], id: number): ReleaseEvent {
  const release = seen.at(-1)!;
  const by = `user:${pick % 3}`;
  switch (kind) {
    case 'pass':
    case 'fail':
    case 'inconclusive':
      return {
        kind: 'verdict',
        stateEpoch: release.stateEpoch,
        verdict: verdictOf(kind, { total: release.looks.total + 1, inStep: 1 }),
      };
    case 'late': {
      const old = seen[pick % seen.length]!;
      return { kind: 'verdict', stateEpoch: old.stateEpoch, verdict: verdictOf(pick % 2 === 0 ? 'pass' : 'fail') };
    }
    case 'hard-limit':
      return { kind: 'hard-limit', attempt: seen[pick % seen.length]!.attempt, why: 'crashes' };
    case 'capacity':
      return { kind: 'capacity', version: pick % 5 === 0 ? '1' : '2', warm: pick < 60 ? BUCKETS : pick * 100 };
    case 'retry':
      return { kind: 'verb', id: `v${id}`, by, why: 'again', verb: 'retry', attempt: release.attempt };
    case 'undo':
      return { kind: 'verb', id: `v${id}`, by, why: 'back', verb: 'undo', to: String(1 + (pick % 3)) };
    case 'promote':
    case 'promote-full':
    case 'pause':
    case 'resume':
    case 'approve':
    case 'abort':
      return { kind: 'verb', id: `v${id}`, by, why: 'so', verb: kind };
    default:
      return { kind: 'tick' };
  }
}

/** What holds of every release, whatever led to it. */
function expectSound(release: Release): void {
  const { share, shadow, state, plan } = release;
  expect(releaseSchema.parse(JSON.parse(JSON.stringify(release)))).toEqual(release);
  expect(Math.max(share.weight, shadow)).toBeLessThanOrEqual(release.warm);
  const step = plan.steps[stepOf(release)];
  if (isActive(release) && step !== undefined && state.kind !== 'undoing')
    expect(share.weight).toBeLessThanOrEqual(Math.max(...plan.steps.slice(0, stepOf(release) + 1).map(neededFor)));
  const route = routeOf(release);
  if (route.candidate === undefined) expect([route.share.weight, route.shadow]).toEqual([0, 0]);
  if (state.kind === 'rolled-back' || state.kind === 'undoing') expect([share.weight, shadow]).toEqual([0, 0]);
  const desired = desiredOf(release, 0);
  if (isActive(release)) expect(desired.warm.get(route.serving)).toBe(BUCKETS);
  if (isActive(release) && state.kind !== 'undoing') expect(desired.warm.get(release.stable)).toBe(BUCKETS);
}

describe('whatever verbs, ticks, late tokens, repeated events and lost writes come in whatever order', () => {
  test('weight stays within warm capacity, stable stays warm, an abort stays an abort, and nothing happens twice', () => {
    fc.assert(
      fc.property(fc.array(happening, { minLength: 5, maxLength: 60 }), (happenings) => {
        const seen: Release[] = [started()];
        let [nowMs, last, isAborted] = [0, { kind: 'tick' } as ReleaseEvent, false];
        const approved = new Set<string>();
        for (const [id, one] of happenings.entries()) {
          nowMs += one.waitMs;
          const before = seen.at(-1)!;
          const event = one.kind === 'again' ? last : eventOf(one, seen, id);
          const next = advance(before, event, nowMs);
          last = event;
          // Another writer was first, or the process died before its write: it reads and decides again.
          if (one.kind === 'lost' || next.kind === 'unchanged') continue;
          const { release, audits } = next;
          expectSound(release);
          expect(release.epoch).toBe(before.epoch + 1);
          for (const audit of audits)
            expect(audit).toMatchObject({ release: 'rel_1', epoch: release.epoch, atMs: nowMs });
          const repeated = advance(release, event, nowMs);
          expect(repeated.kind === 'changed' ? { ...repeated.release, epoch: 0 } : { ...release, epoch: 0 }).toEqual({
            ...release,
            epoch: 0,
          });

          const isVerb = event.kind === 'verb';
          if (isVerb && (event.verb === 'retry' || event.verb === 'undo')) isAborted = false;
          if (isVerb && event.verb === 'abort') isAborted = true;
          if (isAborted) expect(['rolled-back', 'undoing']).toContain(release.state.kind);

          if (isVerb && event.verb === 'approve') approved.add(event.by);
          if (release.state.kind === 'gated' && before.state.kind !== 'gated' && before.state.kind !== 'paused')
            approved.clear();
          const [from, to] = [stepOf(before), stepOf(release)];
          const went =
            isActive(before) &&
            isActive(release) &&
            release.attempt === before.attempt &&
            release.state.kind !== 'undoing';
          if (went && from <= GATE && to > GATE) expect(approved.size).toBeGreaterThanOrEqual(2);
          if (went && to > from)
            expect(isVerb || (event.kind === 'verdict' && event.verdict.outcome === 'pass')).toBe(true);
          seen.push(release);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('a rollback is one verb away in every state: the candidate loses all its traffic, or what replaces it is made warm', () => {
    const kinds = new Set<string>();
    const starts = [{ release: started(), nowMs: 0 }, promoted(({ state }) => state.kind === 'watching'), promoted()];
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), fc.nat(2), (happenings, start) => {
        let { release, nowMs } = starts[start]!;
        for (const [id, one] of happenings.entries()) {
          nowMs += one.waitMs;
          release = apply(release, eventOf(one, [release], id), nowMs);
        }
        kinds.add(release.state.kind);
        const aborted = apply(
          release,
          { kind: 'verb', id: 'the abort', by: 'user:0', why: 'stop', verb: 'abort' },
          nowMs,
        );
        const { candidate, share, shadow } = routeOf(aborted);
        expect([candidate, share.weight, shadow]).toEqual([undefined, 0, 0]);
        expect(['rolled-back', 'undoing']).toContain(aborted.state.kind);
      }),
      { numRuns: 3000 },
    );
    expect([...kinds].sort()).toEqual([
      'escalated',
      'gated',
      'paused',
      'promoted',
      'rolled-back',
      'scaling',
      'stepping',
      'undoing',
      'watching',
    ]);
  });
});
