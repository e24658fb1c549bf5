import { expect, test } from 'vitest';
import { RELEASE_CLOCK_INPUT } from '../../adapters/aws/environment.ts';
import type { ReleaseAudit, Releases } from '../../core/ports/releases.ts';
import type { Release } from '../../core/release/release.ts';
import { SegmentTelemetry } from '../../core/release/segment-telemetry.ts';
import { clockSchema, type LookPorts, look, lookAtAll } from '../../lambdas/release/clock.ts';
import { untold } from '../../lambdas/release/notices.ts';
import { NO_LOG } from '../support/aws/aws-jobs.ts';
import { aStart } from '../support/release-start.ts';

const NOW_MS = Date.UTC(2026, 0, 15, 12);
const SOURCE = { deployment: 'test', region: 'us' };

const NOTHING_SEEN = new SegmentTelemetry({ telemetry: {} } as unknown as ConstructorParameters<
  typeof SegmentTelemetry
>[0]);

type Told = Awaited<ReturnType<typeof untold>>;

/** A release with one audit of each of these epochs, and what is told of it from look to look. */
function withAudits(epochs: readonly number[], ageMs = 0) {
  const { release: started } = aStart(NOW_MS);
  const release: Release = { ...started, epoch: Math.max(...epochs) };
  const audits = epochs.map(
    (epoch, at): ReleaseAudit => ({
      release: release.id,
      model: 'm',
      epoch,
      atMs: NOW_MS - ageMs,
      by: 'sluice',
      what: `${at}`,
      why: 'so',
    }),
  );
  const pages = async (id: string, limit: number, cursor = '0') => {
    const from = Number(cursor);
    const items = id === release.id ? audits.slice(from, from + limit) : [];
    return { items, next: items.length === limit ? String(from + limit) : undefined };
  };
  const releases = { listAudits: pages, read: async () => release } as unknown as Releases;
  const tell = (clock: { release: string; told: number }, open: 'this' | 'none' = 'this'): Promise<Told> =>
    untold({ releases }, { clock, release: open === 'this' ? release : undefined, source: SOURCE, nowMs: NOW_MS });
  return { release, tell };
}

const whatsOf = ({ notices }: Told) => notices.map(({ Detail }) => JSON.parse(Detail).what);

test('changes are told of ten at a time and in order, each once, and none is left', async () => {
  const { release, tell } = withAudits(Array.from({ length: 25 }, (_, at) => at + 1));
  const told: string[] = [];
  let clock = { release: '', told: 0 };
  for (let looks = 0; looks < 4; looks += 1) {
    const next = await tell(clock);
    expect(next.notices.length).toBeLessThanOrEqual(10);
    told.push(...whatsOf(next));
    clock = next;
  }
  expect(told).toEqual(Array.from({ length: 25 }, (_, at) => `${at}`));
  expect(clock).toMatchObject({ release: release.id, told: 25 });
});

test('what one change did is told of at once: its epoch says all or nothing', async () => {
  const { release, tell } = withAudits([1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 10]);
  const first = await tell({ release: release.id, told: 0 });
  expect(whatsOf(first)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8']);
  expect(whatsOf(await tell(first))).toEqual(['9', '10', '11']);
});

test('a new execution does not tell again what happened long before it', async () => {
  const { release, tell } = withAudits([1, 2, 3], 3_600_000);
  expect(await tell({ release: '', told: 0 })).toEqual({ notices: [], release: release.id, told: 3 });
});

test('what a release came to is told of also when it is open no more', async () => {
  const { release, tell } = withAudits([1, 2, 3]);
  const last = await tell({ release: release.id, told: 2 }, 'none');
  expect(whatsOf(last)).toEqual(['2']);
});

const NO_NOTICES: LookPorts['notices'] = { tell: async () => 'told' };

test.each([
  ['is done', false, 'done'],
  ['goes on, if another one was started while it settled this one', true, 'wait'],
])('the look that settles the end of a release %s', async (_, isFollowed, next) => {
  const { release: started } = aStart(NOW_MS);
  const ended: Release = { ...started, state: { kind: 'promoted', atMs: NOW_MS } };
  let open: Release | undefined = ended;
  const releases = {
    readLatest: async () => open ?? ended,
    listOpen: async () => (open === undefined ? [] : [open]),
    read: async () => ended,
    listAudits: async () => ({ items: [], next: undefined }),
    settle: async () => {
      open = isFollowed ? aStart(NOW_MS).release : undefined;
    },
  };
  const registry = { readRoute: async () => undefined };
  const parts = { releases, registry, notices: NO_NOTICES, log: NO_LOG, clock: { nowMs: () => NOW_MS } };
  const ports = parts as unknown as LookPorts;
  const clock = { ...RELEASE_CLOCK_INPUT, model: 'm', activation: 'a', release: ended.id, told: ended.epoch };
  expect((await look(ports, NOTHING_SEEN, clock, SOURCE)).next).toBe(next);
});

test('a look at all looks at each, whichever fails, and fails then', async () => {
  const settled: string[] = [];
  const ended = (id: string): Release => ({
    ...aStart(NOW_MS, { id, model: id }).release,
    state: { kind: 'promoted', atMs: NOW_MS },
  });
  const releases = {
    listOpen: async () => [ended('a'), ended('b'), ended('c')],
    read: async (id: string) => {
      if (id === 'b') throw new Error('cannot be read');
      return ended(id);
    },
    readLatest: async () => undefined,
    settle: async ({ id }: Release) => void settled.push(id),
  };
  const registry = { readRoute: async () => undefined };
  const parts = { releases, registry, notices: NO_NOTICES, log: NO_LOG, clock: { nowMs: () => NOW_MS } };
  const ports = parts as unknown as LookPorts;
  await expect(lookAtAll(ports, NOTHING_SEEN)).rejects.toThrow('1 of 3 looks failed');
  expect(settled).toEqual(['a', 'c']);
});

test('an execution begins with all that its function reads, and nothing besides', () => {
  expect(Object.keys(clockSchema.parse(RELEASE_CLOCK_INPUT)).toSorted()).toEqual(
    Object.keys(clockSchema.shape).toSorted(),
  );
  expect(() => clockSchema.parse({ ...RELEASE_CLOCK_INPUT, more: 1 })).toThrow();
});
