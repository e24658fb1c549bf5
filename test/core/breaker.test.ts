import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Breaker } from '../../core/inference/breaker.ts';
import { OutcomeWindow } from '../../core/inference/outcome-window.ts';
import { manifestSchema } from '../../core/models/manifest.ts';

const START_MS = Date.UTC(2026, 0, 15, 12);
const RULES = manifestSchema.parse({ name: 'm' }).breaker;
const OPEN_MS = RULES.openS * 1000;

type Observed = readonly [tenant: string, failed: boolean];

function observeAll(breaker: Breaker, observed: readonly Observed[], nowMs = START_MS): void {
  for (const [tenant, failed] of observed) breaker.observe(tenant, failed ? 'failed' : 'succeeded', nowMs);
}

function times(count: number, tenant: string, failed: boolean): Observed[] {
  return Array.from({ length: count }, () => [tenant, failed]);
}

function opened(rules = RULES): Breaker {
  const breaker = new Breaker(rules);
  const half = rules.minRequests / 2;
  observeAll(breaker, [...times(half, 'acme', true), ...times(half, 'globex', true)]);
  expect(breaker.stateFor('initech', START_MS).kind).toBe('open');
  return breaker;
}

describe('a closed breaker', () => {
  test.each([
    ['the only tenant fails', times(20, 'a', true), 'open'],
    [
      'one of two fails wholly: half is not more than half',
      [...times(40, 'b', false), ...times(40, 'a', true)],
      'closed',
    ],
    ['two of three fail', [...times(9, 'c', false), ...times(9, 'a', true), ...times(9, 'b', true)], 'open'],
    ['fewer requests than it takes', times(19, 'a', true), 'closed'],
    [
      'more than half fail, and nearly all requests are of a tenant that is well',
      [...times(500, 'c', false), ...times(2, 'a', true), ...times(2, 'b', true)],
      'open',
    ],
  ] as const)('%s', (_, observed, expected) => {
    const breaker = new Breaker(RULES);
    observeAll(breaker, observed);
    expect(breaker.state(START_MS).kind).toBe(expected);
  });

  test('never opens on one of three or more tenants failing alone', () => {
    const traffic = fc.array(
      fc.record({ tenant: fc.integer({ min: 0, max: 5 }), stepMs: fc.integer({ min: 0, max: 400 }) }),
      { minLength: 30, maxLength: 400 },
    );
    fc.assert(
      fc.property(traffic, fc.integer({ min: 3, max: 6 }), (requests, tenants) => {
        const breaker = new Breaker(RULES);
        let nowMs = START_MS;
        // The others are heard in every slice of the window; how rarely beside the failing one plays no part.
        let heardMs = Number.NEGATIVE_INFINITY;
        for (const { tenant, stepMs } of requests) {
          nowMs += stepMs;
          if (nowMs - heardMs >= 1000) {
            heardMs = nowMs;
            for (let other = 1; other < tenants; other += 1) breaker.observe(`t${other}`, 'succeeded', nowMs);
          }
          const failing = tenant % tenants === 0;
          for (let repeat = 0; repeat < (failing ? 20 : 1); repeat += 1) {
            breaker.observe(`t${tenant % tenants}`, failing ? 'failed' : 'succeeded', nowMs);
          }
          expect(breaker.state(nowMs).kind).toBe('closed');
        }
      }),
      { numRuns: 50 },
    );
  });

  test('forgets what is older than its window, and nothing younger than nine tenths of it', () => {
    const windowMs = RULES.windowS * 1000;
    for (const [laterMs, expected] of [
      [windowMs * 0.89, 'open'],
      [windowMs * 1.01, 'closed'],
    ] as const) {
      const breaker = new Breaker(RULES);
      observeAll(breaker, times(19, 'acme', true), START_MS);
      observeAll(breaker, times(1, 'acme', true), START_MS + laterMs);
      expect(breaker.state(START_MS + laterMs).kind).toBe(expected);
    }
  });

  test('counts a failed load for every tenant, however well they did before', () => {
    const breaker = new Breaker(RULES);
    for (const tenant of ['a', 'b', 'c']) observeAll(breaker, times(6, tenant, false));
    const openedBy = Array.from({ length: 20 }, () => breaker.observeLoadFailure(START_MS));
    // 7 of (6 + 7) requests of each tenant is the first count that is more than half.
    expect(openedBy.indexOf(true)).toBe(6);
    const alone = new Breaker(RULES);
    expect(Array.from({ length: 20 }, () => alone.observeLoadFailure(START_MS)).indexOf(true)).toBe(19);
  });

  test('is never opened where the share is 1', () => {
    const breaker = new Breaker({ ...RULES, errorShare: 1 });
    observeAll(breaker, times(1000, 'acme', true));
    expect(breaker.state(START_MS).kind).toBe('closed');
  });

  test('is worth a report only while it has seen work', () => {
    const breaker = new Breaker(RULES);
    expect(breaker.report(START_MS)).toBeUndefined();
    observeAll(breaker, times(1, 'acme', false));
    expect(breaker.report(START_MS)).toEqual({ state: 'closed', untilMs: START_MS });
    expect(breaker.report(START_MS + RULES.windowS * 1000 + 1)).toBeUndefined();
  });
});

describe('one tenant fails, and nobody else is heard', () => {
  const kinds = (breaker: Breaker, nowMs: number) =>
    ['acme', 'globex'].map((tenant) => breaker.stateFor(tenant, nowMs).kind);

  function openedForAcme(): Breaker {
    const breaker = new Breaker(RULES);
    observeAll(breaker, times(RULES.minRequests, 'acme', true));
    return breaker;
  }

  test('opens it for that tenant, and for no other, however its probes end', () => {
    const breaker = openedForAcme();
    let nowMs = START_MS;
    for (let round = 0; round < 3; round += 1) {
      expect(kinds(breaker, nowMs)).toEqual(['open', 'closed']);
      expect(breaker.report(nowMs)).toEqual({ state: 'open', untilMs: nowMs + OPEN_MS, tenant: 'acme' });
      nowMs += OPEN_MS;
      expect(kinds(breaker, nowMs)).toEqual(['half-open', 'closed']);
      expect(breaker.observeProbe('failed', nowMs)).toBe(true);
    }
    nowMs += OPEN_MS;
    for (let probe = 0; probe < RULES.probes; probe += 1) breaker.observeProbe('succeeded', nowMs);
    expect(kinds(breaker, nowMs)).toEqual(['closed', 'closed']);
  });

  test('opens it for all once another one fails too, or once it cannot be loaded', () => {
    const failing = openedForAcme();
    observeAll(failing, times(RULES.minRequests, 'globex', true));
    const unloadable = openedForAcme();
    for (let load = 0; load < RULES.minRequests; load += 1) unloadable.observeLoadFailure(START_MS);
    for (const breaker of [failing, unloadable]) {
      expect(kinds(breaker, START_MS)).toEqual(['open', 'open']);
      expect(breaker.stateFor('initech', START_MS).kind).toBe('open');
    }
  });

  test('leaves it closed for others who are well, whatever the first one goes on to do', () => {
    const breaker = openedForAcme();
    observeAll(breaker, [...times(30, 'acme', true), ...times(30, 'globex', false), ...times(1, 'globex', true)]);
    expect(kinds(breaker, START_MS)).toEqual(['open', 'closed']);
  });
});

describe('an open breaker', () => {
  test('lets probes through after its time, by itself, and listens to nothing until then', () => {
    const breaker = opened();
    expect(breaker.report(START_MS)).toEqual({ state: 'open', untilMs: START_MS + OPEN_MS });
    expect(breaker.observeProbe('succeeded', START_MS)).toBe(false);
    observeAll(breaker, times(100, 'acme', false));
    expect(breaker.state(START_MS + OPEN_MS - 1).kind).toBe('open');
    expect(breaker.state(START_MS + OPEN_MS)).toEqual({ kind: 'half-open', successes: 0 });
  });

  test('is closed by as many successful probes in a row as it takes, and by no fewer; one failure opens it again', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 30 }), fc.integer({ min: 1, max: 5 }), (outcomes, probes) => {
        const breaker = opened({ ...RULES, probes });
        let nowMs = START_MS + OPEN_MS;
        let inARow = 0;
        for (const ok of outcomes) {
          expect(breaker.observeProbe(ok ? 'succeeded' : 'failed', nowMs)).toBe(!ok);
          inARow = ok ? inARow + 1 : 0;
          if (inARow === probes) break;
          const state = breaker.state(nowMs);
          if (ok) expect(state).toEqual({ kind: 'half-open', successes: inARow });
          else expect(state).toEqual({ kind: 'open', untilMs: nowMs + OPEN_MS });
          nowMs += ok ? 1 : OPEN_MS;
        }
        for (; inARow < probes; inARow += 1) breaker.observeProbe('succeeded', nowMs);
        expect(breaker.state(nowMs).kind).toBe('closed');
        // What was counted before it opened is forgotten.
        observeAll(breaker, times(RULES.minRequests - 1, 'acme', true), nowMs);
        expect(breaker.state(nowMs).kind).toBe('closed');
      }),
    );
  });

  test('ignores what started before it opened', () => {
    const breaker = opened();
    observeAll(breaker, times(3, 'acme', true), START_MS + OPEN_MS);
    expect(breaker.state(START_MS + OPEN_MS)).toEqual({ kind: 'half-open', successes: 0 });
  });
});

describe('the window', () => {
  test('agrees with counting every request anew, whatever time does', () => {
    const request = fc.record({
      tenant: fc.constantFrom('a', 'b', 'c', undefined),
      failed: fc.boolean(),
      stepMs: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 15_000 })),
    });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 200 }), (requests) => {
        const window = new OutcomeWindow(10_000);
        const seen: { tenant: string | undefined; failed: boolean; slice: number }[] = [];
        let nowMs = START_MS;
        for (const { tenant, failed, stepMs } of requests) {
          nowMs += stepMs;
          if (tenant === undefined) window.addForAll(nowMs);
          else window.add(tenant, failed, nowMs);
          const slice = Math.floor(nowMs / 1000);
          seen.push({ tenant, failed, slice });
          const recent = seen.filter((each) => each.slice > slice - 10);
          expect(window.requests(nowMs)).toBe(recent.length);
          const forAll = recent.filter((each) => each.tenant === undefined).length;
          const tenants = [...new Set(recent.flatMap((each) => each.tenant ?? []))];
          const shares = tenants.map((name) => {
            const own = recent.filter((each) => each.tenant === name);
            return (own.filter((each) => each.failed).length + forAll) / (own.length + forAll);
          });
          const mean = shares.length === 0 ? Number(forAll > 0) : shares.reduce((a, b) => a + b, 0) / shares.length;
          expect(window.errorShare(nowMs)).toBeCloseTo(mean, 9);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('tells 256 tenants apart; however many more there are, they are one', () => {
    const window = new OutcomeWindow(10_000);
    for (let tenant = 0; tenant < 256; tenant += 1) window.add(`t${tenant}`, false, START_MS);
    for (let tenant = 0; tenant < 100_000; tenant += 1) window.add(`late${tenant}`, true, START_MS);
    expect(window.errorShare(START_MS)).toBeCloseTo(1 / 257, 9);
    expect(window.requests(START_MS)).toBe(100_256);
    // Each has a place again once the others have gone.
    expect(window.requests(START_MS + 11_000)).toBe(0);
    window.add('late7', true, START_MS + 11_000);
    expect(window.errorShare(START_MS + 11_000)).toBe(1);
  });
});
