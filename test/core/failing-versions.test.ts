import { describe, expect, test } from 'vitest';
import { BreakerGate, failingVersions } from '../../core/inference/failing-versions.ts';
import type { BreakerReport, CapacityReport } from '../../core/ports/capacity.ts';

const START_MS = Date.UTC(2026, 0, 15, 12);
const OPEN_MS = 10_000;

describe('a gateway', () => {
  const JOB = { tenant: 'acme', model: 'm', version: '1' };
  const reportOf = (worker: string, breaker: BreakerReport | undefined, draining = false): CapacityReport => ({
    worker,
    pool: 'default',
    atMs: START_MS,
    runners: 1,
    backlogMs: 0,
    rowMs: {},
    loaded: [],
    breakers: breaker === undefined ? {} : { 'm@1': breaker },
    draining,
  });
  const OPEN: BreakerReport = { state: 'open', untilMs: START_MS + OPEN_MS };
  const CLOSED: BreakerReport = { state: 'closed', untilMs: START_MS };
  const OPEN_FOR_ACME: BreakerReport = { ...OPEN, tenant: 'acme' };
  const OPEN_FOR_GLOBEX: BreakerReport = { ...OPEN, tenant: 'globex' };

  function numbered(breaker: BreakerReport, worker: number): CapacityReport {
    return reportOf(String(worker), breaker);
  }

  function passes(reports: readonly CapacityReport[], nowMs: number, gate = new BreakerGate()): boolean {
    try {
      gate.check(failingVersions(reports), JOB, nowMs);
      return true;
    } catch {
      return false;
    }
  }

  test.each([
    ['its only worker', [reportOf('a', OPEN)], false],
    ['half of its workers', [reportOf('a', OPEN), reportOf('b', CLOSED)], false],
    ['fewer than half of its workers', [reportOf('a', OPEN), reportOf('b', CLOSED), reportOf('c', CLOSED)], true],
    [
      'one of those that have an opinion',
      [reportOf('a', OPEN), reportOf('b', undefined), reportOf('c', undefined)],
      false,
    ],
    ['one that takes no more work', [reportOf('a', OPEN, true), reportOf('b', CLOSED)], true],
    ['nobody', [], true],
    ['one that has opened it for this tenant', [reportOf('a', OPEN_FOR_ACME)], false],
    ['one that has opened it for another', [reportOf('a', OPEN_FOR_GLOBEX)], true],
    ['one for this tenant, one for all, of four', [OPEN_FOR_ACME, OPEN, CLOSED, CLOSED].map(numbered), false],
    ['one for another tenant, one for all, of four', [OPEN_FOR_GLOBEX, OPEN, CLOSED, CLOSED].map(numbered), true],
  ] as const)('leaves a version alone on the word of half of the workers that have one: %s', (_, reports, expected) => {
    expect(passes(reports, START_MS)).toBe(expected);
  });

  test('says how long, and leaves other versions of the model in peace', () => {
    const failing = failingVersions([reportOf('a', OPEN)]);
    const gate = new BreakerGate();
    expect(() => gate.check(failing, JOB, START_MS + 4000)).toThrow(
      expect.objectContaining({ code: 'version-unavailable', facts: expect.objectContaining({ retryAfterMs: 6000 }) }),
    );
    expect(() => gate.check(failing, { ...JOB, version: '2' }, START_MS)).not.toThrow();
  });

  test.each([
    ['a report that is as old as the opening', OPEN, START_MS + OPEN_MS],
    ['a report that says so', { state: 'half-open', untilMs: START_MS } as const, START_MS],
  ])('lets one request in 100 ms try a half-open version, after %s', (_, breaker, fromMs) => {
    const gate = new BreakerGate();
    const passed: number[] = [];
    for (let atMs = 0; atMs < 500; atMs += 10) {
      if (passes([reportOf('a', breaker)], fromMs + atMs, gate)) passed.push(atMs);
    }
    expect(passed).toEqual([0, 100, 200, 300, 400]);
  });
});
