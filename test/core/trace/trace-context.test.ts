import fc from 'fast-check';
import { expect, test } from 'vitest';
import { childOf, contextIn, isSampledIn, traceOf, traceparentOf } from '../../../core/trace/trace-context.ts';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

test('a caller’s trace goes on; one that is malformed begins a new one', () => {
  expect(traceOf(TRACEPARENT, 0)).toMatchObject({
    context: { traceId: '0af7651916cd43dd8448eb211c80319c', sampled: false },
    parent: { spanId: 'b7ad6b7169203331' },
  });
  for (const bad of [
    undefined,
    '',
    'x',
    TRACEPARENT.replace('00-', 'ff-'),
    TRACEPARENT.replace(/-b7.*-/, `-${'0'.repeat(16)}-`),
  ])
    expect(traceOf(bad, 1).parent).toBeUndefined();
});

test('places in traces are written and read back, and none is given twice', () => {
  const seen = new Set<string>();
  for (let at = 0; at < 2000; at += 1) {
    const { context } = traceOf(undefined, at % 2);
    const child = childOf(context);
    for (const one of [context, child]) {
      expect(contextIn(traceparentOf(one))).toEqual(one);
      expect(isSampledIn(traceparentOf(one))).toBe(one.sampled);
      seen.add(one.spanId);
    }
    expect(child.traceId).toBe(context.traceId);
    seen.add(context.traceId);
  }
  expect(seen.size).toBe(6000);
});

test('the share decides, by the trace alone, and a greater share keeps what a smaller one does', () => {
  const hex = fc.stringMatching(/^[1-9a-f][0-9a-f]{31}$/);
  fc.assert(
    fc.property(
      hex,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (id, one, other) => {
        const at = (share: number) => traceOf(`00-${id}-b7ad6b7169203331-00`, share).context.sampled;
        expect(at(0)).toBe(false);
        expect(at(1)).toBe(true);
        expect(at(Math.min(one, other)) && !at(Math.max(one, other))).toBe(false);
      },
    ),
  );
  let kept = 0;
  for (let at = 0; at < 20_000; at += 1) if (traceOf(undefined, 0.1).context.sampled) kept += 1;
  expect(kept / 20_000).toBeCloseTo(0.1, 1);
});
