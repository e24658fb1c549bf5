import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BatchCost } from '../../core/inference/batch-cost.ts';
import { bucketOf, nearBuckets, planBatches } from '../../core/inference/batch-plan.ts';
import { gainsByJoining, roomFor, spreadOver, takeInto } from '../../core/inference/form-batch.ts';
import { lengthStep } from '../../core/inference/padding-steps.ts';
import { shareCost } from '../../core/inference/share-cost.ts';
import type { Signature } from '../../core/models/signature.ts';
import { aVersion, floats } from '../support/jobs.ts';

const TOKENS: Signature = {
  inputs: [
    { name: 'ids', datatype: 'FP32', shape: ['batch', 'seq'] },
    { name: 'mask', datatype: 'FP32', shape: ['batch', 'seq'] },
  ],
  outputs: [{ name: 'y', datatype: 'FP32', shape: ['batch', 'seq', 2] }],
};
const PADS = { inputs: { ids: { pad: 0 }, mask: { pad: 0 } } };

function tokens(length: number, tenant = 'acme') {
  return { tenant, inputs: [floats('ids', [1, length], []), floats('mask', [1, length], [])] };
}

const anyWork = fc.record({
  rows: fc.integer({ min: 1, max: 12 }),
  length: fc.integer({ min: 1, max: 300 }),
  inputBytes: fc.integer({ min: 0, max: 12_000_000 }),
});

describe('a run', () => {
  test('stays within rows, padded elements, milliseconds and bytes, unless its only request is larger', () => {
    const caps = fc.record({
      maxRows: fc.integer({ min: 1, max: 64 }),
      maxPaddedElements: fc.integer({ min: 1, max: 4096 }),
      maxBatchMs: fc.integer({ min: 1, max: 50 }),
      rowMs: fc.double({ min: 0.01, max: 60, noNaN: true }),
    });
    fc.assert(
      fc.property(caps, fc.array(anyWork, { minLength: 1, maxLength: 80 }), (limits, works) => {
        const { maxRows, maxPaddedElements, maxBatchMs, rowMs } = limits;
        const plan = planBatches(aVersion({ manifest: { batching: { maxRows, maxPaddedElements, maxBatchMs } } }));
        const cost = new BatchCost(rowMs);
        for (const rows of [1, 2, 4]) cost.observe(rows, rows * rowMs);
        const room = roomFor(plan, cost, works.length);
        const taken = works.filter((work) => takeInto(room, work) === 'taken');
        const rows = taken.reduce((sum, work) => sum + work.rows, 0);
        expect(taken[0]).toBe(works[0]);
        if (taken.length === 1) return;
        expect(rows).toBeLessThanOrEqual(maxRows);
        expect(rows * Math.max(...taken.map(({ length }) => length))).toBeLessThanOrEqual(maxPaddedElements);
        expect(cost.predictMs(rows)).toBeLessThanOrEqual(maxBatchMs * 1.001);
        expect(taken.reduce((sum, work) => sum + work.inputBytes, 0)).toBeLessThanOrEqual(16 * 1024 * 1024);
      }),
    );
  });

  test('says full only when no request of any size would fit', () => {
    fc.assert(
      fc.property(fc.array(anyWork, { minLength: 1, maxLength: 80 }), (works) => {
        const room = roomFor(
          planBatches(aVersion({ manifest: { batching: { maxRows: 16 } } })),
          new BatchCost(0.01),
          works.length,
        );
        const full = works.findIndex((work) => takeInto(room, work) === 'full');
        if (full === -1) return;
        expect(takeInto(room, { rows: 1, length: 1, inputBytes: 0 })).not.toBe('taken');
      }),
    );
  });

  test('holds one request where the graph has a fixed first dimension or the manifest turns batching off', () => {
    const fixed: Signature = {
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [1] }],
    };
    for (const version of [aVersion({ signature: fixed }), aVersion({ manifest: { batching: { maxRows: 1 } } })]) {
      const room = roomFor(planBatches(version), new BatchCost(0.01), 10);
      expect(takeInto(room, { rows: 1, length: 1, inputBytes: 4 })).toBe('taken');
      expect(takeInto(room, { rows: 1, length: 1, inputBytes: 4 })).toBe('full');
    }
  });
});

describe('waiting requests', () => {
  const room = roomFor(planBatches(aVersion({ manifest: { batching: { maxBatchMs: 100 } } })), new BatchCost(1), 64);

  test('are split among idle runners where rows cost', () => {
    const cost = new BatchCost(4);
    for (const rows of [1, 2, 4, 8]) cost.observe(rows, 0.5 + 3.5 * rows);
    expect(spreadOver(2, 9, room, cost).requests).toBe(5);
    expect(spreadOver(1, 9, room, cost).requests).toBe(9);
  });

  test('stay together where a run costs about the same whatever its rows', () => {
    const cost = new BatchCost(4);
    for (const rows of [1, 2, 4, 8]) cost.observe(rows, 4 + 0.01 * rows);
    expect(spreadOver(2, 9, room, cost)).toEqual({ requests: 9, savedMs: 0 });
  });

  test('of a tiny model stay together: a run of its own costs more than it saves', () => {
    expect(spreadOver(2, 64, room, new BatchCost(0.002))).toEqual({ requests: 64, savedMs: 0 });
  });
});

describe('a request of a near length', () => {
  const plan = planBatches(aVersion({ signature: TOKENS, manifest: PADS }));
  const roomWith = (rows: number, length: number) => ({ ...roomFor(plan, new BatchCost(0.01), 64), rows, length });
  /** Fixed milliseconds, and one for each padded element. */
  const costing = (fixedMs: number) => (rows: number, length: number) => fixedMs + rows * length;

  test('is of the step below or above, by the same tenant if answers depend on batch-mates: then of none', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 500 }), fc.integer({ min: 4, max: 500 }), (a, b) => {
        const isNear = nearBuckets(plan, bucketOf(plan, tokens(a)).key).includes(bucketOf(plan, tokens(b)).key);
        expect(isNear).toBe(Math.abs(lengthStep(a) - lengthStep(b)) === 1);
      }),
    );
    const dependent = { ...PADS, batching: { batchMateDependent: true } };
    for (const manifest of [dependent, {}]) {
      const other = planBatches(aVersion({ signature: TOKENS, manifest }));
      expect(nearBuckets(other, bucketOf(other, tokens(32)).key)).toEqual([]);
    }
  });

  test('joins where a run of its own costs more than its padding', () => {
    expect(gainsByJoining(roomWith(4, 40), { rows: 1, length: 32 }, 1, costing(10))).toBe(true);
    expect(gainsByJoining(roomWith(4, 32), { rows: 1, length: 34 }, 1, costing(10))).toBe(true);
  });

  test('stays where enough of its own length share that cost, or where all others would be padded for it', () => {
    expect(gainsByJoining(roomWith(4, 40), { rows: 1, length: 32 }, 4, costing(10))).toBe(false);
    expect(gainsByJoining(roomWith(8, 32), { rows: 1, length: 34 }, 1, costing(10))).toBe(false);
  });

  test('never joins where runs cost nothing but their elements', () => {
    fc.assert(
      fc.property(fc.nat({ max: 30 }), anyWork, fc.integer({ min: 1, max: 300 }), (rows, work, length) => {
        const room = roomWith(rows + 1, length);
        if (length !== work.length) expect(gainsByJoining(room, work, 1, costing(0))).toBe(false);
      }),
    );
  });
});

describe('requests share a run', () => {
  test('only within a length step, which wastes no more than 30 % of a row', () => {
    const plan = planBatches(aVersion({ signature: TOKENS, manifest: PADS }));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 512 }), fc.integer({ min: 1, max: 512 }), (a, b) => {
        const same = bucketOf(plan, tokens(a)).key === bucketOf(plan, tokens(b)).key;
        expect(same).toBe(lengthStep(a) === lengthStep(b));
        if (same) expect(Math.min(a, b) / Math.max(a, b)).toBeGreaterThan(0.7);
      }),
    );
  });

  test('only with equal shapes where the manifest gives no padding for every input that has the dimension', () => {
    for (const manifest of [{}, { inputs: { ids: { pad: 0 } } }]) {
      const plan = planBatches(aVersion({ signature: TOKENS, manifest }));
      expect(bucketOf(plan, tokens(31)).key).toBe(bucketOf(plan, tokens(31)).key);
      expect(bucketOf(plan, tokens(31)).key).not.toBe(bucketOf(plan, tokens(32)).key);
    }
  });

  test.each([
    ['an output has a free dimension that no input names', ['batch', 'seq'], ['batch', 'other']],
    ['an output has a free dimension without a name', ['batch', 'seq'], ['batch', '']],
    ['an output has every row against every other', ['batch', 'seq'], ['batch', 'batch']],
    ['an input has every row against every other', ['batch', 'batch'], ['batch']],
  ])('with nobody where %s', (_, input, output) => {
    const signature: Signature = {
      inputs: [{ name: 'ids', datatype: 'FP32', shape: input }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: output }],
    };
    expect(planBatches(aVersion({ signature, manifest: { inputs: { ids: { pad: 0 } } } })).alone).toBe(true);
    expect(planBatches(aVersion({ signature: TOKENS, manifest: PADS })).alone).toBe(false);
  });

  test('never across tenants where answers depend on batch-mates', () => {
    const plan = planBatches(aVersion({ manifest: { batching: { batchMateDependent: true } } }));
    expect(bucketOf(plan, tokens(1, 'acme')).key).not.toBe(bucketOf(plan, tokens(1, 'globex')).key);
  });

  test('never across versions', () => {
    const keys = ['1', '2'].map((version) => bucketOf(planBatches(aVersion({ version })), tokens(1)).key);
    expect(keys[0]).not.toBe(keys[1]);
  });
});

describe('the cost of a run', () => {
  test('is learned as fixed and per-row milliseconds, so that a model of mostly fixed cost is batched', () => {
    const cost = new BatchCost(10);
    for (let run = 0; run < 40; run += 1) {
      const rows = Math.min(1 + (run % 8), cost.rowsWithin(15));
      cost.observe(rows, 9.5 + rows * 0.5);
    }
    expect(cost.rowsWithin(15)).toBeGreaterThanOrEqual(10);
    expect(cost.rowsWithin(15)).toBeLessThanOrEqual(12);
  });

  test('never lets a run of a model without fixed cost outgrow its milliseconds by more than one try of two rows', () => {
    const cost = new BatchCost(12);
    const sizes: number[] = [];
    for (let run = 0; run < 100; run += 1) {
      const rows = cost.rowsWithin(15);
      sizes.push(rows);
      cost.observe(rows, rows * 12);
    }
    expect(sizes.filter((rows) => rows > 1).length).toBeLessThanOrEqual(1);
  });

  test('follows a model that becomes slower within thirty runs, and forgives one run on a busy machine', () => {
    const cost = new BatchCost(1);
    for (let run = 0; run < 20; run += 1) cost.observe(1 + (run % 4), 1 + (run % 4));
    cost.observe(4, 4000);
    expect(cost.predictMs(4)).toBeLessThan(10);
    for (let run = 0; run < 30; run += 1) cost.observe(1 + (run % 4), 5 * (1 + (run % 4)));
    expect(cost.predictMs(4)).toBeGreaterThan(15);
  });

  test('is shared out in full, in proportion to rows and length', () => {
    fc.assert(
      fc.property(fc.array(anyWork, { minLength: 1 }), fc.double({ min: 0, max: 1e4, noNaN: true }), (works, ms) => {
        const shares = shareCost(works, ms);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(ms, 6);
      }),
    );
    expect(
      shareCost(
        [
          { rows: 1, length: 10 },
          { rows: 3, length: 10 },
        ],
        4,
      ),
    ).toEqual([1, 3]);
  });
});
