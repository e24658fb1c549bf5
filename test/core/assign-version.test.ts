import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assignVersion } from '../../core/inference/assign-version.ts';
import type { Caller } from '../../core/inference/request.ts';
import { ASSIGN_BY, type AssignBy, BUCKETS, COHORTS } from '../../core/release/assign.ts';
import type { Release } from '../../core/release/release.ts';
import { type ReleaseTraffic, revocationOf, servedBy } from '../../core/release/served.ts';
import { aRelease, rolledBack, shareOf } from '../support/release-traffic.ts';

const ROUTE = { model: 'm', stable: '1', epoch: 1 };
const MINUTE_MS = 60_000;

function caller(user: string, tenant = 'acme', plan = 'pro'): Caller {
  const principal = { id: `key:${user}`, tenant, role: 'tenant-user', models: undefined, user } as const;
  return { principal, tenant: { id: tenant, plan } as Caller['tenant'], limits: {} as Caller['limits'] };
}

function traffic(changes: Partial<Release>, assignBy: AssignBy = 'user'): ReleaseTraffic {
  return servedBy(ROUTE, aRelease(changes, { assignBy, steps: [{ setWeight: 100 }] }), 0)!;
}

const anyUnit = fc.record({ user: fc.string(), tenant: fc.string({ minLength: 1 }), id: fc.string() });
const anyWeights = fc.array(fc.integer({ min: 0, max: BUCKETS }), { minLength: 1, maxLength: 8 });

describe('a release', () => {
  test('never moves a unit back to stable as its weight grows, and has everybody at the end', () => {
    fc.assert(
      fc.property(anyUnit, anyWeights, fc.constantFrom(...ASSIGN_BY), ({ user, tenant, id }, weights, assignBy) => {
        const growing = [...weights.sort((a, b) => a - b), BUCKETS];
        const versions = growing.map(
          (weight) => assignVersion(caller(user, tenant), traffic({ share: shareOf(weight) }, assignBy), id).version,
        );
        expect(versions).toEqual([...versions].sort());
        expect(versions.at(-1)).toBe('2');
      }),
    );
  });

  test('has a unit on one version, whatever else of its requests differs', () => {
    fc.assert(
      fc.property(anyUnit, fc.string(), fc.integer({ min: 0, max: BUCKETS }), ({ user, tenant, id }, other, weight) => {
        const share = { share: shareOf(weight) };
        const of = (by: AssignBy, who: string, request: string) =>
          assignVersion(caller(who, tenant), traffic(share, by), request);
        expect(of('user', user, id)).toEqual({ ...of('user', user, other), id });
        expect(of('tenant', user, id)).toEqual({ ...of('tenant', other, other), id });
        expect(of('request', user, id)).toEqual(of('request', other, id));
      }),
    );
  });

  test('gives its candidate the share of users that it says, within chance', () => {
    const half = traffic({ share: shareOf(2500) });
    const users = Array.from({ length: 4000 }, (_, at) => assignVersion(caller(`user-${at}`), half, 'r'));
    const share = users.filter(({ version }) => version === '2').length / users.length;
    // Five standard deviations.
    expect(Math.abs(share - 0.25)).toBeLessThan(5 * Math.sqrt((0.25 * 0.75) / users.length));
  });

  test('puts named tenants and plans on the candidate by no lot', () => {
    const named = traffic({ share: shareOf(0, { tenants: ['acme'], plans: ['enterprise'] }) });
    for (const one of [caller('u', 'acme'), caller('u', 'globex', 'enterprise')])
      expect(assignVersion(one, named, 'r')).toEqual({ version: '2', assignment: { onCandidate: true }, id: 'r' });
    const { version, assignment } = assignVersion(caller('u', 'globex'), named, 'r');
    expect([version, assignment.lot?.release, assignment.shadowOn]).toEqual(['1', 'rel_1.1', undefined]);
  });

  test('shadows the buckets below its share of shadow, which stable answers', () => {
    const shadowing = traffic({ shadow: 1000 });
    const all = Array.from({ length: 2000 }, (_, at) => assignVersion(caller(`user-${at}`), shadowing, 'r'));
    expect(all.every(({ version }) => version === '1')).toBe(true);
    for (const { assignment } of all)
      expect(assignment.shadowOn).toBe(assignment.lot!.cohort < COHORTS / 10 ? '2' : undefined);
  });
});

describe('who serves a model', () => {
  test('is for a release to say while it goes on, and for ten minutes after it has ended', () => {
    const going = aRelease({ share: shareOf(100) });
    expect(servedBy({ ...ROUTE, stable: '9' }, going, 1e12)).toMatchObject({ serving: '1', candidate: '2' });
    const ended = rolledBack(going, 1000);
    expect(servedBy(ROUTE, ended, 1000 + 9 * MINUTE_MS)).toMatchObject({ serving: '1', candidate: undefined });
    expect(servedBy(ROUTE, ended, 1000 + 11 * MINUTE_MS)).toBeUndefined();
    expect(servedBy(ROUTE, undefined, 0)).toBeUndefined();
  });

  test('is not for an ended release once another version was made stable by hand', () => {
    const promoted = { ...aRelease(), state: { kind: 'promoted' as const, atMs: 0 } };
    expect(servedBy(ROUTE, promoted, 1)).toMatchObject({ serving: '2' });
    expect(servedBy({ ...ROUTE, stable: '3' }, promoted, 1)).toBeUndefined();
  });
});

describe('a revoked version', () => {
  const ended = rolledBack(aRelease({ share: shareOf(100) }), 0);

  test('is the candidate of a release that was rolled back, and none while it goes on or once it is promoted', () => {
    expect(revocationOf(ended, ROUTE, 1)).toEqual({ revoked: '2', serving: '1' });
    expect(revocationOf(aRelease({ share: shareOf(100) }), ROUTE, 1)).toBeUndefined();
    expect(revocationOf({ ...aRelease(), state: { kind: 'promoted', atMs: 0 } }, ROUTE, 1)).toBeUndefined();
  });

  test('is revoked at once by an undo, before the version that it goes back to is warm', () => {
    const state = { kind: 'undoing' as const, serving: '1', to: '7', untilMs: 1e9, why: 'a test' };
    expect(revocationOf({ ...aRelease(), state }, { ...ROUTE, stable: '2' }, 1)).toEqual({
      revoked: '2',
      serving: '1',
    });
  });

  test('is run by what serves by then, long after, and is itself again once it was made stable by hand', () => {
    expect(revocationOf(ended, { ...ROUTE, stable: '3' }, 60 * MINUTE_MS)).toEqual({ revoked: '2', serving: '3' });
    expect(revocationOf(ended, { ...ROUTE, stable: '2' }, 60 * MINUTE_MS)).toBeUndefined();
  });
});
