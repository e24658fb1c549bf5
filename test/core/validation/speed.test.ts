import { describe, expect, test } from 'vitest';
import { batchingOf } from '../../../core/models/batching.ts';
import { parseManifest } from '../../../core/models/check-manifest.ts';
import type { Signature } from '../../../core/models/signature.ts';
import { checkOf, type FakeModel, perRow, validateFake } from '../../support/fake-sandbox.ts';

const sequences: Signature = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: ['batch', 'sequence'] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: ['batch', 1] }],
};
const first = perRow((row) => row[0]!);

/** Every run costs `fixedMs` and `elementMs` for each element, rows × length. */
function linear(fixedMs: number, elementMs: number, signature?: Signature): FakeModel {
  return {
    ...(signature && { signature }),
    answer: first,
    runMs: ([x]) => fixedMs + elementMs * x!.data.length,
  };
}

async function measured(model: FakeModel, manifest = {}) {
  const { validated } = await validateFake({ model, manifest });
  return validated!.validation;
}

describe('batches', () => {
  test('have as many rows as reach 95 % of the best throughput', async () => {
    // rows / (1 + 0.1 rows): 95 % of that at 64 rows (8.65) is first reached by 64 itself, as 32 reach 7.6.
    expect((await measured(linear(1, 0.1))).batching.maxRows).toBe(64);
    // rows / (0.1 + rows): 64 rows reach 0.998, 2 rows 0.952.
    expect((await measured(linear(0.1, 1))).batching).toEqual({ maxRows: 2, maxBatchMs: 15 });
  });

  test('grow in rows alone where more cost nothing, as far as was measured', async () => {
    expect((await measured(linear(1, 0))).batching.maxRows).toBe(64);
  });

  test('are capped in elements where rows have lengths', async () => {
    const { batching, speed } = await measured(linear(0.4, 0.01, sequences));
    // Best at 64 rows of 8 elements, 64 of 32, 64 of 128 and at 32 of 512, up to half a second a run.
    const longest = Math.max(...speed.map(({ length }) => length));
    expect(longest).toBe(512);
    expect(batching.maxPaddedElements).toBeGreaterThanOrEqual(512);
    expect(new Set(speed.map(({ length }) => length))).toEqual(new Set([8, 32, 128, 512]));
  });

  test('take 15 ms, or as long as two rows alone where one takes longer', async () => {
    expect((await measured(linear(1, 1))).batching.maxBatchMs).toBe(15);
    expect((await measured(linear(40, 1))).batching.maxBatchMs).toBe(82);
    expect((await measured(linear(0, 40))).batching.maxBatchMs).toBe(40);
  });

  test('are as the manifest says where it does, and of one tenant where mates matter', async () => {
    const validation = await measured({ answer: perRow(([x], rows) => x! * (1 + 0.01 * rows.length)) });
    const said = parseManifest({ name: 'm', batching: { maxRows: 3 } });
    expect(batchingOf({ manifest: said, validation })).toMatchObject({ maxRows: 3, maxBatchMs: 15, perTenant: true });
  });

  test('are none for a model that is never batched, whatever was measured', async () => {
    const validation = await measured({ answer: perRow(([x]) => x!) }, { inputs: { x: { min: 1, max: 1 } } });
    const manifest = parseManifest({ name: 'm', batching: { maxRows: 8 } });
    expect(batchingOf({ manifest, validation }).maxRows).toBe(1);
  });
});

describe('speed', () => {
  test('is told by rows and length, in order, with the time of one row and the price of a thousand', async () => {
    const { speed, rowMs, usdPerThousand } = await measured(linear(2, 0.5));
    expect(speed).toEqual([1, 2, 4, 8, 16, 32, 64].map((rows) => ({ rows, length: 1, runMs: 2 + 0.5 * rows })));
    expect(rowMs).toBe(2.5);
    // 34 ms for 64 rows; 3.6 dollars an hour are 0.001 a second.
    expect(usdPerThousand).toBeCloseTo(((1000 / 64) * 0.034) / 1000, 10);
  });

  test('of a typical row is measured first, and no length longer than callers can send', async () => {
    const { told } = await validateFake({
      model: linear(1, 0.01, sequences),
      manifest: { limits: { maxLength: 100 } },
    });
    const measuring = told.filter((doing) => /^measuring rows of \d+ elements$/.test(doing));
    expect(measuring).toEqual([32, 8, 100].map((length) => `measuring rows of ${length} elements`));
  });

  test('is a warning where the largest request cannot end in time, with the rows that can', async () => {
    const validation = await measured(linear(0, 100), { limits: { maxRows: 256 }, timeoutMs: 10_000 });
    const { outcome, detail, advice } = checkOf(validation, 'speed')!;
    expect(outcome).toBe('warning');
    expect(detail).toContain('256 rows of 1, would take about 26 s');
    expect(advice).toContain('`limits.maxRows` to 100');
  });
});
