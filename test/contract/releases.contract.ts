import { expect } from 'vitest';
import type { ReleaseAudit, Releases } from '../../core/ports/releases.ts';
import { advance, type ReleaseEvent } from '../../core/release/advance.ts';
import type { Release } from '../../core/release/release.ts';
import type { Advance } from '../../core/release/transitions.ts';
import { aStart } from '../support/release-start.ts';
import { type Adapter, type Case, countBy, describeContract, failureCodeOf, type Subject } from './contract.ts';

type ReleasesSubject = Subject<Releases>;
type ReleasesCase = Case<ReleasesSubject>;
type Changed = Extract<Advance, { kind: 'changed' }>;

let verbs = 0;

function after(release: Release, event: ReleaseEvent, nowMs: number): Changed {
  const next = advance(release, event, nowMs);
  if (next.kind === 'unchanged') throw new Error(next.why);
  return next;
}

function verb<V extends string>(name: V) {
  verbs += 1;
  return { kind: 'verb', id: `v${verbs}`, by: 'key:2', why: 'as it should be', verb: name } as const;
}

async function start({ port, nowMs }: ReleasesSubject, changes?: Parameters<typeof aStart>[1]): Promise<Release> {
  const { release, audits } = aStart(nowMs(), changes);
  await port.start(release, audits);
  return release;
}

async function write(subject: ReleasesSubject, release: Release, event: ReleaseEvent): Promise<Release> {
  const next = after(release, event, subject.nowMs());
  await subject.port.write(next.release, next.audits);
  return next.release;
}

async function allAudits({ port }: ReleasesSubject, id: string, limit = 100): Promise<ReleaseAudit[]> {
  const audits: ReleaseAudit[] = [];
  let cursor: string | undefined;
  do {
    const page = await port.listAudits(id, limit, cursor);
    expect(page.items.length).toBeLessThanOrEqual(limit);
    audits.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined);
  return audits;
}

async function activeIds({ port }: ReleasesSubject): Promise<string[]> {
  return (await port.listActive()).map(({ id }) => id).sort();
}

/** How each call ended: `done`, or the code of its failure. */
async function outcomes(calls: readonly Promise<void>[]): Promise<Record<string, number>> {
  const ended = await Promise.all(
    calls.map((call) => call.then(() => 'done').catch(async (error: unknown) => failureCodeOf(Promise.reject(error)))),
  );
  return countBy(ended, (code) => code);
}

const keeping: readonly ReleasesCase[] = [
  {
    name: 'keeps a release and what was done to it whole, after a crash too',
    async run(subject) {
      const { release, audits } = aStart(subject.nowMs());
      await subject.port.start(release, audits);
      const warm = after(release, { kind: 'capacity', version: '2', warm: 10_000 }, subject.nowMs());
      await subject.port.write(warm.release, warm.audits);
      await subject.crash();
      expect(await subject.port.read(release.id)).toEqual(warm.release);
      expect(await subject.port.readLatest('m')).toEqual(warm.release);
      expect(await subject.port.listActive()).toEqual([warm.release]);
      expect(await allAudits(subject, release.id)).toEqual([...audits, ...warm.audits]);
      expect(await subject.port.read('rel_none')).toBeUndefined();
      expect(await subject.port.readLatest('n')).toBeUndefined();
    },
  },
  {
    name: 'writes a change only over the one that it was made from, and its audits only with it',
    async run(subject) {
      const release = await start(subject);
      const paused = after(release, verb('pause'), subject.nowMs());
      const aborted = after(release, verb('abort'), subject.nowMs());
      await subject.port.write(paused.release, paused.audits);
      expect(await failureCodeOf(subject.port.write(aborted.release, aborted.audits))).toBe('state-conflict');
      expect(await subject.port.read(release.id)).toEqual(paused.release);
      expect(await subject.port.readLatest('m')).toEqual(paused.release);
      expect((await allAudits(subject, release.id)).map(({ what }) => what)).not.toContain('rolled back');
      const unknown = after(aStart(subject.nowMs(), { model: 'n' }).release, verb('pause'), subject.nowMs());
      expect(await failureCodeOf(subject.port.write(unknown.release, unknown.audits))).toBe('state-conflict');
      expect(await activeIds(subject)).toEqual([release.id]);
    },
  },
  {
    name: 'lets one of several writers at once succeed, and leaves the audits of that one',
    async run(subject) {
      const release = await start(subject);
      const writers = Array.from({ length: 5 }, () => after(release, verb('pause'), subject.nowMs()));
      expect(await outcomes(writers.map((one) => subject.port.write(one.release, one.audits)))).toEqual({
        done: 1,
        'state-conflict': 4,
      });
      expect(await allAudits(subject, release.id)).toHaveLength(2);
    },
  },
  {
    name: 'starts no release of a name that is taken, and leaves the one that has it',
    async run(subject) {
      const release = await start(subject);
      const same = aStart(subject.nowMs(), { id: release.id, model: 'n' });
      expect(await failureCodeOf(subject.port.start(same.release, same.audits))).toBe('already-exists');
      expect(await subject.port.read(release.id)).toEqual(release);
      expect(await subject.port.readLatest('n')).toBeUndefined();
      expect(await allAudits(subject, release.id)).toHaveLength(1);
    },
  },
];

const alone: readonly ReleasesCase[] = [
  {
    name: 'starts one of several releases of a model at once, and nothing of the others',
    async run(subject) {
      const starts = Array.from({ length: 5 }, () => aStart(subject.nowMs()));
      expect(await outcomes(starts.map(({ release, audits }) => subject.port.start(release, audits)))).toEqual({
        done: 1,
        'state-conflict': 4,
      });
      const [active, ...more] = await subject.port.listActive();
      expect(more).toEqual([]);
      expect((await subject.port.list('m', 10)).items).toEqual([active]);
      for (const { release } of starts)
        expect(await allAudits(subject, release.id)).toHaveLength(release.id === active?.id ? 1 : 0);
      const other = await start(subject, { model: 'n' });
      expect(await activeIds(subject)).toEqual([active!.id, other.id].sort());
    },
  },
  {
    name: 'leaves a model free for the next release with the write that ends one',
    async run(subject) {
      const first = await start(subject);
      const ended = await write(subject, first, verb('abort'));
      expect(await subject.port.listActive()).toEqual([]);
      expect(await subject.port.readLatest('m')).toEqual(ended);
      const second = await start(subject);
      expect(await activeIds(subject)).toEqual([second.id]);
      expect(await subject.port.readLatest('m')).toEqual(second);
    },
  },
  {
    name: 'lets a release become active again only while no other of its model is',
    async run(subject) {
      const first = await write(subject, await start(subject), verb('abort'));
      const second = await start(subject);
      const again = after(first, { ...verb('retry'), attempt: 1 }, subject.nowMs());
      expect(await failureCodeOf(subject.port.write(again.release, again.audits))).toBe('state-conflict');
      expect(await subject.port.read(first.id)).toEqual(first);
      const ended = await write(subject, second, verb('abort'));
      await subject.port.write(again.release, again.audits);
      expect(await activeIds(subject)).toEqual([first.id]);
      expect(await subject.port.readLatest('m')).toEqual(again.release);
      expect(await subject.port.read(second.id)).toEqual(ended);
      const over = await write(subject, again.release, verb('abort'));
      expect(await subject.port.readLatest('m')).toEqual(over);
    },
  },
  {
    name: 'has one winner where a retry and a start come at once',
    async run(subject) {
      const first = await write(subject, await start(subject), verb('abort'));
      const again = after(first, { ...verb('retry'), attempt: 1 }, subject.nowMs());
      const other = aStart(subject.nowMs());
      const calls = [subject.port.write(again.release, again.audits), subject.port.start(other.release, other.audits)];
      expect(await outcomes(calls)).toEqual({ done: 1, 'state-conflict': 1 });
      expect(await subject.port.listActive()).toHaveLength(1);
      expect(await activeIds(subject)).toEqual([(await subject.port.readLatest('m'))?.id]);
    },
  },
];

const settling: readonly ReleasesCase[] = [
  {
    name: 'has a release open until its end is settled, after a crash too',
    async run(subject) {
      const { port } = subject;
      const open = async () => (await subject.port.listOpen()).map(({ id, epoch }) => [id, epoch]);
      const started = await start(subject);
      await port.settle(started);
      expect(await open()).toEqual([[started.id, 1]]);
      const ended = await write(subject, started, verb('abort'));
      await port.settle(started);
      await subject.crash();
      expect(await open()).toEqual([[ended.id, 2]]);
      await subject.port.settle(ended);
      await subject.port.settle(ended);
      expect(await open()).toEqual([]);
      expect(await subject.port.readLatest('m')).toEqual(ended);
    },
  },
  {
    name: 'has a release open again that becomes active again, and settles none in place of another',
    async run(subject) {
      const first = await write(subject, await start(subject), verb('abort'));
      await subject.port.settle(first);
      const again = await write(subject, first, { ...verb('retry'), attempt: 1 });
      await subject.port.settle(first);
      expect(await subject.port.listOpen()).toEqual([again]);
      const ended = await write(subject, again, verb('abort'));
      const other = await start(subject);
      await subject.port.settle(ended);
      expect(await subject.port.listOpen()).toEqual([other]);
    },
  },
];

const listing: readonly ReleasesCase[] = [
  {
    name: 'lists releases of a model, the newest first, each once over all pages',
    async run(subject) {
      const all: Release[] = [];
      for (let count = 0; count < 5; count += 1) {
        all.unshift(await write(subject, await start(subject), verb('abort')));
        await subject.advance(5);
      }
      await start(subject, { model: 'n' });
      const first = await subject.port.list('m', 2);
      expect(first.items).toEqual(all.slice(0, 2));
      const second = await subject.port.list('m', 2, first.next);
      expect(second.items).toEqual(all.slice(2, 4));
      const third = await subject.port.list('m', 2, second.next);
      expect(third.items).toEqual(all.slice(4));
      expect(third.next).toBeUndefined();
      expect((await subject.port.list('nothing', 2)).items).toEqual([]);
    },
  },
  {
    name: 'lists releases of all models, the newest start first, each once over all pages',
    async run(subject) {
      const all: string[] = [];
      for (const model of ['m', 'n', 'o']) {
        all.unshift((await start(subject, { model })).id);
        await subject.advance(5);
      }
      const changed = await write(subject, (await subject.port.readLatest('m'))!, verb('abort'));
      const first = await subject.port.listRecent(2);
      expect(first.items.map(({ id }) => id)).toEqual(all.slice(0, 2));
      const second = await subject.port.listRecent(2, first.next);
      expect(second).toEqual({ items: [changed], next: undefined });
    },
  },
  {
    name: 'lists what was done to a release in the order of its epochs, page by page',
    async run(subject) {
      let release = await start(subject);
      for (const name of ['pause', 'resume', 'pause', 'resume', 'abort'] as const)
        release = await write(subject, release, verb(name));
      await start(subject);
      const whole = await allAudits(subject, release.id);
      expect(whole.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6]);
      expect(whole.at(-1)).toMatchObject({ release: release.id, model: 'm', by: 'key:2', what: 'rolled back' });
      expect(await allAudits(subject, release.id, 2)).toEqual(whole);
    },
  },
];

export const releasesCases: readonly ReleasesCase[] = [...keeping, ...alone, ...settling, ...listing];

export function describeReleasesContract(name: string, adapter: Adapter<Releases>): void {
  describeContract(`releases: ${name}`, releasesCases, adapter);
}
