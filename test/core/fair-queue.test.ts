import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FairQueue, type LaneWork, type WorkLane } from '../../core/inference/fair-queue.ts';
import type { Lane } from '../../core/inference/job.ts';

type Item = LaneWork & { readonly at: number };

const MOST_ROWS = 8;
const always = () => true;

/** One run: whose turn it is, up to `rows` items, settled with what they were expected to cost times `factor`. */
function runOnce(queue: FairQueue<Item>, rows = MOST_ROWS, factor = 1): Item[] {
  const choice = queue.next(always);
  if (choice === undefined) return [];
  const taken: Item[] = [];
  queue.fill(choice, (item) => {
    if (taken.length === rows) return 'full';
    taken.push(item);
    return 'taken';
  });
  for (const item of taken) queue.settle(item, item.costMs * factor);
  return taken;
}

function item(at: number, changes: Partial<Item> = {}): Item {
  return { tenant: 'a', lane: 'interactive', weight: 1, bucket: 'm', costMs: 1, sinceMs: at, at, ...changes };
}

const anyItem = fc.record({
  tenant: fc.constantFrom('a', 'b', 'c'),
  lane: fc.constantFrom<Lane>('interactive', 'bulk'),
  bucket: fc.constantFrom('m', 'n'),
  costMs: fc.double({ min: 0.01, max: 40, noNaN: true }),
});
const anyItems = fc.array(anyItem, { maxLength: 200 }).map((items) => items.map((each, at) => item(at, each)));

describe('a fair queue', () => {
  test('finds work as long as there is some, and hands out each item once', () => {
    fc.assert(
      fc.property(anyItems, fc.integer({ min: 1, max: 9 }), (items, rows) => {
        const queue = new FairQueue<Item>();
        for (const each of items) queue.push(each);
        const taken: Item[] = [];
        while (queue.size > 0) {
          const run = runOnce(queue, rows);
          expect(run.length).toBeGreaterThan(0);
          taken.push(...run);
        }
        expect(taken.map(({ at }) => at).sort((x, y) => x - y)).toEqual(items.map(({ at }) => at));
        expect(queue.costMs('interactive') + queue.costMs('bulk')).toBe(0);
        expect(runOnce(queue)).toEqual([]);
      }),
    );
  });

  test('never mixes buckets in a run, and keeps the order of a tenant within lane and bucket', () => {
    fc.assert(
      fc.property(anyItems, (items) => {
        const queue = new FairQueue<Item>();
        for (const each of items) queue.push(each);
        const latest = new Map<string, number>();
        while (queue.size > 0) {
          const run = runOnce(queue);
          expect(new Set(run.map(({ bucket }) => bucket)).size).toBe(1);
          for (const { tenant, lane, bucket, at } of run) {
            const key = `${tenant} ${lane} ${bucket}`;
            expect(at).toBeGreaterThan(latest.get(key) ?? -1);
            latest.set(key, at);
          }
        }
      }),
    );
  });

  test('fills a run with whatever may share it, even beyond the credit of those who wait', () => {
    fc.assert(
      fc.property(anyItems, (items) => {
        const queue = new FairQueue<Item>();
        for (const each of items) queue.push(each);
        const waiting = new Map<string, number>();
        for (const { bucket } of items) waiting.set(bucket, (waiting.get(bucket) ?? 0) + 1);
        while (queue.size > 0) {
          const run = runOnce(queue);
          const { bucket } = run[0]!;
          // A tenant's bulk work may have stayed behind because of its own interactive work.
          const interactiveElsewhere = items.some(({ lane }) => lane === 'bulk');
          if (!interactiveElsewhere) expect(run.length).toBe(Math.min(MOST_ROWS, waiting.get(bucket)!));
          waiting.set(bucket, waiting.get(bucket)! - run.length);
        }
      }),
    );
  });

  test('gives backlogged tenants compute by weight, to within one run, whatever their jobs cost', () => {
    const tenantSpec = fc.record({
      weight: fc.integer({ min: 1, max: 16 }),
      costMs: fc.double({ min: 0.01, max: 15, noNaN: true }),
      ownBucket: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(tenantSpec, { minLength: 2, maxLength: 5 }), (specs) => {
        const queue = new FairQueue<Item>();
        const used = specs.map(() => 0);
        const push = (at: number) => {
          const { weight, costMs, ownBucket } = specs[at]!;
          queue.push(item(at, { tenant: `t${at}`, weight, costMs, bucket: ownBucket ? `m${at}` : 'm' }));
        };
        for (let at = 0; at < specs.length; at += 1) for (let n = 0; n < MOST_ROWS + 1; n += 1) push(at);
        let largestRun = 0;
        for (let run = 0; run < 400; run += 1) {
          const taken = runOnce(queue);
          largestRun = Math.max(
            largestRun,
            taken.reduce((sum, { costMs }) => sum + costMs, 0),
          );
          for (const { at, costMs } of taken) {
            used[at]! += costMs;
            push(at);
          }
        }
        const totalMs = used.reduce((sum, ms) => sum + ms, 0);
        const totalWeight = specs.reduce((sum, { weight }) => sum + weight, 0);
        for (const [at, { weight }] of specs.entries()) {
          // A run, and the quantum (1 ms times weight) of every tenant's turn.
          const slackMs = largestRun + 16 * specs.length;
          expect(used[at]! - (totalMs * weight) / totalWeight).toBeLessThan(slackMs);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('charges what was measured, not what was expected', () => {
    const queue = new FairQueue<Item>();
    const used = { a: 0, b: 0 };
    const push = (tenant: 'a' | 'b') => queue.push(item(0, { tenant, bucket: tenant, costMs: 1 }));
    for (let n = 0; n < 20; n += 1) for (const tenant of ['a', 'b'] as const) push(tenant);
    for (let run = 0; run < 1000; run += 1) {
      const choice = queue.next(always)!;
      const taken: Item[] = [];
      queue.fill(choice, (each) => {
        if (taken.length > 0) return 'full';
        taken.push(each);
        return 'taken';
      });
      const tenant = taken[0]!.tenant as 'a' | 'b';
      const measuredMs = tenant === 'a' ? 5 : 1;
      queue.settle(taken[0]!, measuredMs);
      used[tenant] += measuredMs;
      push(tenant);
    }
    expect(used.a / used.b).toBeGreaterThan(0.95);
    expect(used.a / used.b).toBeLessThan(1.05);
  });

  test('lets a tenant that comes anew go before one that floods', () => {
    const queue = new FairQueue<Item>();
    for (let at = 0; at < 1000; at += 1) queue.push(item(at, { tenant: 'flood', weight: 16 }));
    for (let run = 0; run < 10; run += 1) runOnce(queue);
    queue.push(item(0, { tenant: 'quiet' }));
    expect(runOnce(queue).map(({ tenant }) => tenant)).toContain('quiet');
  });

  test('lets a tenant’s buckets take turns by age, so that none of them starves beside a busy one', () => {
    const queue = new FairQueue<Item>();
    let at = 0;
    const push = (tenant: string, bucket: string) => queue.push(item(at++, { tenant, bucket }));
    for (const tenant of ['a', 'b', 'c']) {
      push(tenant, 'rare');
      for (let n = 0; n < 20; n += 1) push(tenant, `busy${n % 5}`);
    }
    const served = new Set<string>();
    for (let run = 0; run < 10; run += 1) {
      for (const each of runOnce(queue, 2)) {
        served.add(`${each.tenant} ${each.bucket}`);
        push(each.tenant, each.bucket);
      }
    }
    expect([...served]).toEqual(expect.arrayContaining(['a rare', 'b rare', 'c rare']));
  });

  test('does not let a tenant pass for new by running empty between its jobs', () => {
    const queue = new FairQueue<Item>();
    const used = { drip: 0, steady: 0 };
    for (let n = 0; n < 50; n += 1) queue.push(item(n, { tenant: 'steady' }));
    let dripWaits = false;
    for (let run = 0; run < 400; run += 1) {
      if (!dripWaits) queue.push(item(run, { tenant: 'drip', costMs: 4 }));
      dripWaits = true;
      for (const { tenant, costMs } of runOnce(queue, 1)) {
        used[tenant as 'drip' | 'steady'] += costMs;
        if (tenant === 'drip') dripWaits = false;
        if (tenant === 'steady') queue.push(item(run, { tenant }));
      }
    }
    expect(used.drip).toBeLessThan(used.steady + 10);
  });
});

describe('the bulk lane', () => {
  test('gets a tenth of the compute beside interactive work, no more and no less', () => {
    const queue = new FairQueue<Item>();
    const used = { interactive: 0, bulk: 0, shadow: 0 };
    const push = (lane: WorkLane) => queue.push(item(0, { lane, tenant: lane, bucket: lane }));
    for (let n = 0; n < 20; n += 1) for (const lane of ['interactive', 'bulk'] as const) push(lane);
    for (let run = 0; run < 2000; run += 1) {
      for (const { lane, costMs } of runOnce(queue)) {
        used[lane] += costMs;
        push(lane);
      }
    }
    const share = used.bulk / (used.bulk + used.interactive);
    expect(share).toBeGreaterThan(0.09);
    expect(share).toBeLessThan(0.11);
  });

  test('never runs before interactive work of the same tenant', () => {
    fc.assert(
      fc.property(anyItems, (items) => {
        const queue = new FairQueue<Item>();
        for (const each of items) queue.push(each);
        const interactive = new Map<string, number>();
        for (const { tenant, lane } of items) {
          if (lane === 'interactive') interactive.set(tenant, (interactive.get(tenant) ?? 0) + 1);
        }
        while (queue.size > 0) {
          const run = runOnce(queue);
          for (const { tenant, lane } of run) {
            if (lane === 'interactive') interactive.set(tenant, interactive.get(tenant)! - 1);
          }
          for (const { tenant, lane } of run) if (lane === 'bulk') expect(interactive.get(tenant) ?? 0).toBe(0);
        }
      }),
    );
  });

  test('has everything to itself when nothing interactive waits', () => {
    const queue = new FairQueue<Item>();
    for (let at = 0; at < 100; at += 1) queue.push(item(at, { lane: 'bulk' }));
    let taken = 0;
    while (queue.size > 0) taken += runOnce(queue).length;
    expect(taken).toBe(100);
  });
});

describe('shadow work', () => {
  const anyWork = fc
    .array(
      fc.record({
        tenant: fc.constantFrom('a', 'b'),
        lane: fc.constantFrom<WorkLane>('interactive', 'bulk', 'shadow'),
      }),
    )
    .map((items) => items.map((each, at) => item(at, each)));

  test('runs last, shares no run with other work, and none of it is lost', () => {
    fc.assert(
      fc.property(anyWork, (items) => {
        const queue = new FairQueue<Item>();
        for (const each of items) queue.push(each);
        const lanes: WorkLane[] = [];
        while (queue.size > 0) lanes.push(...runOnce(queue).map(({ lane }) => lane));
        expect(lanes).toHaveLength(items.length);
        const shadows = lanes.filter((lane) => lane === 'shadow').length;
        expect(lanes.slice(lanes.length - shadows).every((lane) => lane === 'shadow')).toBe(true);
      }),
    );
  });

  test('costs its tenant nothing of its share', () => {
    const queue = new FairQueue<Item>();
    for (let at = 0; at < 50; at += 1) queue.push(item(at, { tenant: 'a', lane: 'shadow', costMs: 40 }));
    while (queue.size > 0) runOnce(queue);
    for (let at = 0; at < 10; at += 1)
      for (const tenant of ['a', 'b']) queue.push(item(at, { tenant, lane: 'bulk', costMs: 5 }));
    const used = { a: 0, b: 0 };
    for (let run = 0; run < 10; run += 1) for (const { tenant } of runOnce(queue, 1)) used[tenant as 'a' | 'b'] += 1;
    expect(used).toEqual({ a: 5, b: 5 });
  });
});

describe('work that cannot run now', () => {
  test('is passed over without losing its turn to others for good', () => {
    const queue = new FairQueue<Item>();
    for (let at = 0; at < 10; at += 1) queue.push(item(at, { tenant: 'a', bucket: 'loading' }));
    for (let at = 0; at < 10; at += 1) queue.push(item(at, { tenant: 'b' }));
    expect(queue.next((bucket) => bucket !== 'loading')?.bucket).toBe('m');
    expect(queue.next(() => false)).toBeUndefined();
    expect(queue.next(always)?.bucket).toBe('loading');
  });

  test('is taken out as a whole when its model cannot be loaded', () => {
    const queue = new FairQueue<Item>();
    for (let at = 0; at < 10; at += 1) queue.push(item(at, { bucket: at % 2 === 0 ? 'bad' : 'good' }));
    expect(queue.takeBuckets((bucket) => bucket === 'bad').map(({ at }) => at)).toEqual([0, 2, 4, 6, 8]);
    expect(queue.size).toBe(5);
    expect(runOnce(queue).map(({ bucket }) => bucket)).toEqual(['good', 'good', 'good', 'good', 'good']);
  });
});
