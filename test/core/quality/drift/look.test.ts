import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Looked, lookAtVersion } from '../../../../core/quality/drift/look.ts';
import { checkNow, readQuality } from '../../../../core/quality/drift/read-quality.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../../../core/units.ts';
import { aProfile, aReference, sawBefore } from '../../../support/drift.ts';
import { aVersion } from '../../../support/jobs.ts';
import { type LocalPlatform, openLocalPlatform } from '../../../support/local-platform.ts';

const WINDOW_MS = 15 * MINUTE_MS;
const LABELS = { yes: 500, no: 400, maybe: 100 };
const SAME = aProfile({ yes: 250, no: 200, maybe: 50 });
const OTHER = aProfile({ yes: 100, no: 350, maybe: 50 });

let local: LocalPlatform;
/** The end of the last window. */
let endMs: number;

beforeEach(async () => {
  local = await openLocalPlatform();
  endMs = local.clock.nowMs();
  await push({});
});

afterEach(() => local.close());

const ports = () => ({ ...local.ports, log: local.log });

async function push(drift: object, version = '1'): Promise<void> {
  await local.ports.registry.addVersion(aVersion({ version, manifest: { drift } as never }));
  await local.ports.registry.writeRoute({ model: 'm', stable: version, epoch: Number(version) });
  await local.ports.qualityReports.writeReference('m', version, aReference(aProfile(LABELS)));
}

async function look(): Promise<Looked> {
  return (await lookAtVersion(ports(), 'm', '1', local.clock.nowMs()))!;
}

/** One more window has ended, in which this was seen. */
async function window(profile: typeof SAME | undefined): Promise<Looked> {
  await local.clock.advance(endMs + WINDOW_MS - local.clock.nowMs());
  endMs += WINDOW_MS;
  if (profile !== undefined) await sawBefore(local.ports, endMs, profile);
  await local.clock.advance(MINUTE_MS);
  return look();
}

const rowOf = ({ state }: Looked, name = 'labels') => state.windowsInARow[name];

describe('windows', () => {
  test('three drifted ones in a row make it drifted, and not two', async () => {
    expect((await window(SAME)).state.report).toMatchObject({ status: 'ok', rows: 500 });
    expect((await window(OTHER)).state).toMatchObject({ report: { status: 'drifting' }, isDrifted: false });
    expect((await window(OTHER)).state).toMatchObject({ report: { status: 'drifting' }, isDrifted: false });
    expect((await window(OTHER)).state).toMatchObject({ report: { status: 'drifted' }, isDrifted: true });
  });

  test('one that has not drifted ends the row', async () => {
    await window(OTHER);
    await window(OTHER);
    expect(rowOf(await window(SAME))).toBe(0);
    expect((await window(OTHER)).state.isDrifted).toBe(false);
  });

  test('each is judged once, however often somebody looks', async () => {
    await window(OTHER);
    const { epoch } = (await look()).state;
    for (let again = 0; again < 5; again += 1) expect(rowOf(await look())).toBe(1);
    expect((await look()).state.epoch).toBeGreaterThan(epoch);
    expect(await local.ports.qualityReports.listWindows('m', '1', 10)).toHaveLength(1);
  });

  test('each is judged once by many that look at the same time', async () => {
    await window(SAME);
    await local.clock.advance(endMs + WINDOW_MS - local.clock.nowMs() + MINUTE_MS);
    await sawBefore(local.ports, endMs + WINDOW_MS, OTHER);
    const looked = await Promise.all(Array.from({ length: 8 }, look));
    expect(looked.map((each) => rowOf(each))).toEqual(new Array(8).fill(1));
    expect(await local.ports.qualityReports.listWindows('m', '1', 10)).toHaveLength(2);
  });

  test('one with a row less than are needed goes on, and ends with the row that was missing', async () => {
    await window(aProfile({ no: 199 }));
    expect((await look()).state.report).toBeUndefined();
    const { state } = await window(aProfile({ no: 1 }));
    expect(state.report).toMatchObject({ rows: 200, window: { fromMs: endMs - 2 * WINDOW_MS, untilMs: endMs } });
    expect(state.report!.checks.find(({ name }) => name === 'labels')).toMatchObject({ judged: true, drifted: true });
  });

  test('a day with too few rows ends unjudged: neither more of a row nor the end of it', async () => {
    await window(OTHER);
    await window(aProfile({ yes: 20 }));
    await local.clock.advance(DAY_MS);
    const { state } = await look();
    expect(state.report).toMatchObject({ rows: 20, checks: [{ judged: false, drifted: false, windowsInARow: 1 }, {}] });
    expect(state.windowsInARow.labels).toBe(1);
  });

  test('those of a time in which nobody looked are judged when somebody does, a few at a time', async () => {
    await window(SAME);
    for (let at = 1; at <= 10; at += 1) await sawBefore(local.ports, endMs + at * WINDOW_MS, SAME);
    await local.clock.advance(10 * WINDOW_MS);
    const first = await look();
    expect(first.state.dueAtMs).toBe(local.clock.nowMs());
    expect(await local.ports.qualityReports.listWindows('m', '1', 100)).toHaveLength(9);
    await look();
    expect(await local.ports.qualityReports.listWindows('m', '1', 100)).toHaveLength(11);
  });

  test('what a window says is complete: it is judged a minute after its end and not before', async () => {
    await window(SAME);
    await sawBefore(local.ports, endMs + WINDOW_MS, OTHER);
    await local.clock.advance(endMs + WINDOW_MS + MINUTE_MS - 1 - local.clock.nowMs());
    expect(rowOf(await look())).toBe(0);
    await local.clock.advance(1);
    expect(rowOf(await look())).toBe(1);
  });
});

describe('a reference', () => {
  test('without one nothing is judged, and what was answered is shown', async () => {
    const version = aVersion({ version: '2' });
    await local.ports.registry.addVersion(version);
    await sawBefore(local.ports, endMs, OTHER, version);
    await local.clock.advance(MINUTE_MS);
    const looked = await lookAtVersion(ports(), 'm', '2', local.clock.nowMs());
    expect(looked!.state.report).toMatchObject({ status: 'no-reference', checks: [], rows: 500 });
    expect(looked!.state.report!.labels[0]).toMatchObject({ label: 'no', share: 0.7 });
  });

  test('one of 99 rows says too little, one of 100 enough', async () => {
    for (const [rows, judged] of [
      [99, false],
      [100, true],
    ] as const) {
      const reference = aReference(aProfile({ yes: rows }), { madeAtMs: rows });
      await local.ports.qualityReports.writeReference('m', '1', reference);
      const { report } = (await window(aProfile({ yes: 200 }))).state;
      expect(report!.checks.map((check) => check.judged)).toEqual([judged, judged]);
      expect(report!.status).toBe(judged ? 'ok' : 'too-few');
    }
  });

  test('another one begins anew: nothing that the former made counts', async () => {
    for (let at = 0; at < 3; at += 1) await window(OTHER);
    expect((await look()).state.isDrifted).toBe(true);
    await local.ports.qualityReports.writeReference('m', '1', aReference(OTHER, { madeAtMs: 2 }));
    expect((await readQuality(ports(), 'm', undefined, local.clock.nowMs())).report).toBeUndefined();
    expect((await look()).state).toMatchObject({ isDrifted: false, windowsInARow: {} });
    expect((await window(OTHER)).state.report!.status).toBe('ok');
  });
});

describe('what is told', () => {
  test('that it has drifted is told once, and again only after it has recovered', async () => {
    for (let at = 0; at < 5; at += 1) await window(OTHER);
    expect((await look()).state.untold).toMatchObject([
      { event: 'model.drifted', reason: 'drift', model: 'm', version: '1', checks: [{ name: 'labels' }] },
    ]);
    await window(SAME);
    for (let at = 0; at < 3; at += 1) await window(OTHER);
    expect((await look()).state.untold).toHaveLength(2);
  });

  test('a class that comes no more is named, and told of by number alone', async () => {
    await push({ threshold: 1 }, '2');
    const gone = aProfile({ yes: 250, no: 250 });
    const { state } = await window(gone);
    expect(state.missingClasses).toEqual(['maybe']);
    expect(state.untold).toMatchObject([{ event: 'model.drifted', reason: 'missing-class', missingClasses: 1 }]);
    expect(JSON.stringify(state.untold)).not.toContain('maybe');
    expect((await window(SAME)).state.missingClasses).toEqual([]);
  });

  test('a retraining is due so many days after the push, then after each that was told, of the stable version alone', async () => {
    const days = { retrainEveryDays: 7 };
    await push(days, '2');
    await local.ports.registry.addVersion({
      ...aVersion({ version: '3', manifest: { drift: days } as never }),
      digest: '3'.repeat(64),
    });
    const due = async (version: string) =>
      (await lookAtVersion(ports(), 'm', version, local.clock.nowMs()))!.state.untold.map(({ reason }) => reason);
    expect(await due('2')).toEqual(['schedule']);
    expect(await due('3')).toEqual([]);
    await local.clock.advance(7 * DAY_MS - SECOND_MS);
    expect(await due('2')).toEqual(['schedule']);
    await local.clock.advance(SECOND_MS);
    expect(await due('2')).toEqual(['schedule', 'schedule']);
  });
});

describe('a look on demand', () => {
  test('says what the open window comes to and brings no alarm nearer', async () => {
    await window(OTHER);
    await window(OTHER);
    await sawBefore(local.ports, local.clock.nowMs(), OTHER);
    for (let again = 0; again < 3; again += 1) {
      const { report } = await checkNow(ports(), 'm', undefined, local.clock.nowMs());
      expect(report).toMatchObject({
        status: 'drifting',
        checks: [{ name: 'labels', drifted: true, windowsInARow: 2 }, {}],
      });
    }
    expect((await look()).state.windowsInARow.labels).toBe(2);
  });
});
