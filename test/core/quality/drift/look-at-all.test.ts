import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { lookAtAll, type Run } from '../../../../core/quality/drift/look-at-all.ts';
import { measureDrift } from '../../../../core/quality/drift/measure-drift.ts';
import type { QualityNotice } from '../../../../core/quality/drift/quality-record.ts';
import { DAY_MS, MINUTE_MS } from '../../../../core/units.ts';
import { startQualityLoop } from '../../../../embedded/quality-loop.ts';
import { aNotice, aProfile, aReference, aState, sawBefore } from '../../../support/drift.ts';
import { override } from '../../../support/fault.ts';
import { aVersion } from '../../../support/jobs.ts';
import { type LocalPlatform, openLocalPlatform } from '../../../support/local-platform.ts';

const USUAL = aProfile({ yes: 250, no: 250 });

let local: LocalPlatform;
let told: QualityNotice[];

beforeEach(async () => {
  local = await openLocalPlatform();
  told = [];
});
afterEach(() => local.close());

const ports = () => ({ ...local.ports, clock: local.clock, log: local.log });
const run = (changes: Partial<Run> = {}) =>
  lookAtAll(ports(), {
    untilMs: local.clock.nowMs() + MINUTE_MS,
    tell: async (notices) => void told.push(...notices),
    ...changes,
  });

/** Models that were called just now. */
async function called(models: readonly string[], profile = USUAL): Promise<void> {
  for (const model of models) {
    await local.ports.registry.addVersion(aVersion({ model }));
    await sawBefore(local.ports, local.clock.nowMs(), profile, { model, version: '1' });
  }
  await local.clock.advance(MINUTE_MS);
}

async function checkedAt(): Promise<Readonly<Record<string, number>>> {
  const summaries = await local.ports.qualityReports.listSummaries();
  return Object.fromEntries(summaries.map(({ model, checkedAtMs }) => [model, checkedAtMs]));
}

test('of more versions than a run looks at, the others come first in the next, until all have had theirs', async () => {
  const models = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  await called(models);
  const seen: string[][] = [];
  for (let at = 0; at < 3; at += 1) {
    const before = await checkedAt();
    await local.clock.advance(1);
    await run({ most: 3 });
    const after = await checkedAt();
    seen.push(models.filter((model) => after[model] !== before[model]));
  }
  expect(seen).toEqual([['a', 'b', 'c'], ['d', 'e', 'f'], ['g']]);
});

test('what was looked at is not due before its next window ends, then those that wait longest are first', async () => {
  await called(['a', 'b']);
  expect(await run()).toBe(2);
  expect(await run()).toBe(0);
  await local.clock.advance(15 * MINUTE_MS - 1);
  expect(await run()).toBe(0);
  await local.clock.advance(1);
  expect(await run()).toBe(2);
});

test('a version that cannot be looked at keeps no other from its look, and is said to be so', async () => {
  await called(['a', 'b', 'c']);
  const registry = override(local.ports.registry, {
    readVersion: async (model, version) => {
      if (model === 'a') throw new Error('its record is damaged');
      return local.ports.registry.readVersion(model, version);
    },
  });
  const looked = await lookAtAll(
    { ...ports(), registry },
    { untilMs: Number.POSITIVE_INFINITY, tell: async () => {}, most: 2 },
  );
  expect(looked).toBe(2);
  expect(Object.keys(await checkedAt()).sort()).toEqual(['b', 'c']);
  expect(local.logged.join()).toContain('the quality of a version could not be looked at');
});

test('a run begins no look after its time', async () => {
  await called(['a', 'b']);
  expect(await run({ untilMs: local.clock.nowMs() })).toBe(0);
});

test('a version that is gone, or that nobody calls, is looked at no more', async () => {
  await sawBefore(local.ports, local.clock.nowMs(), USUAL, { model: 'gone', version: '1' });
  await called(['a']);
  await run();
  expect(Object.keys(await checkedAt())).toEqual(['a']);
  await local.clock.advance(4 * DAY_MS);
  expect(await run()).toBe(0);
});

test('what there is to tell is told until somebody has taken it, and not again', async () => {
  await called(['m']);
  await local.ports.qualityReports.writeState(aState(local.clock.nowMs(), { untold: [aNotice()] }), []);
  const refuse = async () => {
    throw new Error('nobody takes it');
  };
  await run({ tell: refuse });
  expect(local.logged.join()).toContain('could not be looked at');
  await run();
  await run();
  expect(told).toEqual([aNotice()]);
});

test('a version that nobody calls any more has its last words told all the same', async () => {
  await local.ports.registry.addVersion(aVersion());
  await local.ports.qualityReports.writeState(aState(local.clock.nowMs(), { untold: [aNotice()] }), []);
  await run();
  expect(told).toEqual([aNotice()]);
});

test('distances, drift and missing classes are measured of each version, as long as it is looked at, without label text', async () => {
  await called(['m'], aProfile({ yes: 500 }));
  await local.ports.qualityReports.writeReference('m', '1', aReference(aProfile({ yes: 500, secret: 500 })));
  await run();
  const measured = await measureDrift(local.ports, local.clock.nowMs());
  const of = { model: 'm', version: '1' };
  expect(measured).toEqual([
    { metric: 'drift_value', of: { ...of, check: 'labels' }, value: expect.closeTo(0.464, 2) },
    { metric: 'drift_value', of: { ...of, check: 'confidence' }, value: 0 },
    { metric: 'drift_alarming', of, value: 0 },
    { metric: 'missing_classes', of, value: 1 },
  ]);
  expect(JSON.stringify(measured)).not.toContain('secret');
  expect(await measureDrift(local.ports, local.clock.nowMs() + 2 * DAY_MS)).toEqual([]);
});

test('on one machine all is looked at once a minute until it is stopped, whatever fails in between', async () => {
  await called(['a']);
  let fails = true;
  const telemetry = override(local.ports.telemetry, {
    activeVersions: async (fromMs, untilMs) => {
      if (fails) throw new Error('the disk is full');
      return local.ports.telemetry.activeVersions(fromMs, untilMs);
    },
  });
  const loop = startQualityLoop({ ...ports(), telemetry }, async () => {});
  await local.clock.advance(MINUTE_MS);
  await vi.waitFor(() => expect(local.logged.join()).toContain('could not be looked at'));
  fails = false;
  await vi.waitFor(async () => {
    await local.clock.advance(MINUTE_MS);
    expect(await checkedAt()).toHaveProperty('a');
  });
  await loop.stop();
});
