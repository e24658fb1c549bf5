import { describe, expect, it } from 'vitest';
import type { Limits } from '../../core/ports/limits.ts';
import { type GcraPolicy, takeUnits } from '../../core/tenancy/gcra.ts';
import { Leases } from '../../core/tenancy/lease.ts';

/** One shared truth that answers after a turn of the event loop, as a store would. */
function sharedTruth(): Pick<Limits, 'lease'> & { calls: number } {
  const tats = new Map<string, number>();
  return {
    calls: 0,
    async lease(tenant, meter, policy, needed, wanted, nowMs) {
      this.calls += 1;
      await new Promise(setImmediate);
      const key = `${tenant}/${meter}`;
      const answer = takeUnits(policy, tats.get(key) ?? 0, needed, wanted, nowMs);
      tats.set(key, answer.tatMs);
      return answer;
    },
  };
}

const policy: GcraPolicy = { ratePerMs: 2, burst: 4000 };

type Run = { readonly granted: number[]; readonly refused: number };

/** `callers` on `hosts` hosts call at `loadShare` of the rate for `seconds` of simulated time. */
async function drive(hosts: Leases[], callsPerMs: number, durationMs: number): Promise<Run> {
  const granted: number[] = [];
  let refused = 0;
  let due = 0;
  let turn = 0;
  for (let nowMs = 1_000_000; nowMs < 1_000_000 + durationMs; nowMs += 1) {
    due += callsPerMs;
    const calls: Promise<void>[] = [];
    for (; due >= 1; due -= 1) {
      const host = hosts[turn % hosts.length] as Leases;
      turn += 1;
      calls.push(
        Promise.resolve(host.take('acme', 'requests', policy, 1, nowMs)).then((taken) => {
          if (taken.granted) granted.push(nowMs);
          else refused += 1;
        }),
      );
    }
    await Promise.all(calls);
  }
  return { granted, refused };
}

function mostInWindow(times: readonly number[], windowMs: number): number {
  let most = 0;
  let from = 0;
  for (let to = 0; to < times.length; to += 1) {
    while ((times[to] as number) - (times[from] as number) > windowMs) from += 1;
    most = Math.max(most, to - from + 1);
  }
  return most;
}

describe('leased quota', () => {
  it('never grants more than the limit in any window, with five hosts at three times the rate', async () => {
    const truth = sharedTruth();
    const hosts = Array.from({ length: 5 }, () => new Leases(truth));
    const { granted } = await drive(hosts, policy.ratePerMs * 3, 4000);
    for (const windowMs of [10, 100, 1000, 3000]) {
      expect(mostInWindow(granted, windowMs)).toBeLessThanOrEqual(policy.burst + policy.ratePerMs * windowMs + 1);
    }
    expect(granted.length).toBeGreaterThan(policy.burst + policy.ratePerMs * 4000 * 0.9);
  });

  it('wrongly refuses at most 2 % at 80 % load, with five hosts', async () => {
    const truth = sharedTruth();
    const hosts = Array.from({ length: 5 }, () => new Leases(truth));
    // A burst first, so that only the refill rate is left.
    await drive(hosts, policy.burst / 10, 10);
    const { granted, refused } = await drive(hosts, policy.ratePerMs * 0.8, 6000);
    expect(refused / (granted.length + refused)).toBeLessThanOrEqual(0.02);
  });

  it('asks the shared truth far less than once a request where a host is busy', async () => {
    const truth = sharedTruth();
    const { granted } = await drive([new Leases(truth)], policy.ratePerMs * 0.9, 4000);
    expect(truth.calls).toBeLessThan(granted.length / 4);
  });

  it('grants nothing from a lease that is older than its time', async () => {
    const truth = sharedTruth();
    const leases = new Leases(truth);
    await drive([leases], policy.ratePerMs, 200);
    const before = truth.calls;
    await leases.take('acme', 'requests', policy, 1, 1_000_500);
    expect(truth.calls).toBe(before + 1);
  });
});
