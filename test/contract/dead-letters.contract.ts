import { expect } from 'vitest';
import { DEAD_LETTER_KEPT_MS, deadLetterId } from '../../core/inference/dead-letter.ts';
import type { Job } from '../../core/inference/job.ts';
import type { DeadLetter, DeadLetters } from '../../core/ports/dead-letters.ts';
import { aJob, floats } from '../support/jobs.ts';
import { type Adapter, atOnce, type Case, describeContract, failureCodeOf, type Subject } from './contract.ts';

/** `destroyKey` makes what was sealed for a tenant unreadable. */
export type DeadLettersSubject = Subject<DeadLetters> & { destroyKey(tenant: string): Promise<void> };
type LettersCase = Case<DeadLettersSubject>;

export function aLetter(job: Job, atMs: number, changes: Partial<DeadLetter> = {}): DeadLetter {
  const { tenant, id: prediction, requestedModel: model, version, pool, lane } = job;
  const named = { id: deadLetterId(prediction), tenant, prediction, model, version, pool, lane };
  return { ...named, reason: 'internal', attempts: 51, atMs: Math.floor(atMs), redrivable: true, ...changes };
}

async function bury(subject: DeadLettersSubject, changes: Partial<Job> = {}): Promise<DeadLetter> {
  const job = aJob({ durable: true, ...changes });
  const letter = aLetter(job, subject.nowMs());
  await subject.port.add(letter, job);
  await subject.advance(1000);
  return letter;
}

const ids = (letters: readonly DeadLetter[]) => letters.map(({ id }) => id);

export const deadLettersCases: readonly LettersCase[] = [
  {
    name: 'keeps a letter and its job whole, after a crash too',
    async run(subject) {
      const job = aJob({ durable: true, inputs: [floats('x', [2, 2], [1, 2, 3, 4])], clientId: 'c' });
      const letter = aLetter(job, subject.nowMs());
      await subject.port.add(letter, job);
      await subject.crash();
      expect(await subject.port.read('acme', letter.id, subject.nowMs())).toEqual(letter);
      expect(await subject.port.readJob('acme', letter.id, subject.nowMs())).toEqual(job);
      expect((await subject.port.list({}, 10, subject.nowMs())).items).toEqual([letter]);
    },
  },
  {
    name: 'keeps one of which no job is left, and says so',
    async run({ port, nowMs }) {
      const bare = { model: undefined, version: undefined, redrivable: false, reason: 'record-damaged' } as const;
      const letter = aLetter(aJob(), nowMs(), bare);
      await port.add(letter, undefined);
      expect(await port.read('acme', letter.id, nowMs())).toEqual(letter);
      expect(await port.readJob('acme', letter.id, nowMs())).toBeUndefined();
    },
  },
  {
    name: 'leaves the first as it is when it dies again, also at the same time',
    async run({ port, nowMs }) {
      const job = aJob({ durable: true });
      const first = aLetter(job, nowMs());
      await port.add(first, job);
      await port.add(aLetter(job, nowMs() + 5000, { attempts: 99 }), { ...job, rows: 7 });
      const twin = aJob({ durable: true });
      await atOnce(5, () => port.add(aLetter(twin, nowMs()), twin));
      expect(await port.read('acme', first.id, nowMs())).toEqual(first);
      expect((await port.readJob('acme', first.id, nowMs()))?.rows).toBe(job.rows);
      expect((await port.list({}, 10, nowMs())).items).toHaveLength(2);
      expect(await port.count(nowMs())).toEqual([{ pool: 'default', lane: 'interactive', letters: 2 }]);
    },
  },
  {
    name: 'lists the newest first, page by page, of a tenant or a pool alone where one is named',
    async run(subject) {
      const letters: DeadLetter[] = [];
      for (const tenant of ['acme', 'globex', 'acme', 'initech', 'acme'])
        letters.unshift(await bury(subject, { tenant }));
      letters.unshift(await bury(subject, { tenant: 'globex', pool: 'gpu', lane: 'bulk' }));
      const { port, nowMs } = subject;
      const all: string[] = [];
      for (let cursor: string | undefined, more = true; more; ) {
        const page = await port.list({}, 2, nowMs(), cursor);
        expect(page.items.length).toBeLessThanOrEqual(2);
        all.push(...ids(page.items));
        cursor = page.next;
        more = cursor !== undefined;
      }
      expect(all).toEqual(ids(letters));
      const first = await port.list({ tenant: 'acme' }, 2, nowMs());
      const rest = await port.list({ tenant: 'acme' }, 2, nowMs(), first.next);
      expect(ids([...first.items, ...rest.items])).toEqual(ids(letters.filter(({ tenant }) => tenant === 'acme')));
      expect(rest.next).toBeUndefined();
      expect(ids((await port.list({ pool: 'gpu' }, 10, nowMs())).items)).toEqual([letters[0]!.id]);
      expect(await port.count(nowMs())).toEqual([
        { pool: 'default', lane: 'interactive', letters: 5 },
        { pool: 'gpu', lane: 'bulk', letters: 1 },
      ]);
    },
  },
  {
    name: 'knows a letter of its own tenant alone, and removes it once',
    async run(subject) {
      const letter = await bury(subject);
      const { port, nowMs } = subject;
      expect(await port.read('globex', letter.id, nowMs())).toBeUndefined();
      expect(await port.readJob('globex', letter.id, nowMs())).toBeUndefined();
      expect(await port.remove('globex', letter.id)).toBe(false);
      const removed = await atOnce(3, () => port.remove('acme', letter.id));
      expect(removed.filter(Boolean)).toHaveLength(1);
      expect(await port.read('acme', letter.id, nowMs())).toBeUndefined();
      expect((await port.list({ tenant: 'acme' }, 10, nowMs())).items).toEqual([]);
      expect(await port.count(nowMs())).toEqual([]);
    },
  },
  {
    name: 'shows nothing that is 14 days old',
    async run(subject) {
      const letter = await bury(subject);
      const { port, nowMs } = subject;
      const endMs = letter.atMs + DEAD_LETTER_KEPT_MS;
      expect((await port.list({}, 10, endMs - 1)).items).toHaveLength(1);
      expect((await port.list({}, 10, endMs)).items).toEqual([]);
      expect([await port.read('acme', letter.id, endMs), await port.count(endMs)]).toEqual([undefined, []]);
      expect(await port.readJob('acme', letter.id, endMs)).toBeUndefined();
      await port.purge(nowMs());
      expect((await port.list({}, 10, nowMs())).items).toHaveLength(1);
    },
  },
  {
    name: "erases a tenant's and no other's; what was sealed before cannot be opened once its key is gone",
    async run(subject) {
      const [gone, sealed, kept] = [
        await bury(subject),
        await bury(subject),
        await bury(subject, { tenant: 'globex' }),
      ];
      await subject.destroyKey('acme');
      const { port, nowMs } = subject;
      expect(await failureCodeOf(port.readJob('acme', sealed.id, nowMs()))).toBe('data-erased');
      await port.erase('acme');
      expect(await port.read('acme', gone.id, nowMs())).toBeUndefined();
      expect((await port.list({}, 10, nowMs())).items).toEqual([kept]);
      expect(await port.readJob('globex', kept.id, nowMs())).toBeDefined();
    },
  },
];

export function describeDeadLettersContract(name: string, adapter: Adapter<DeadLetters, DeadLettersSubject>): void {
  describeContract(`dead letters: ${name}`, deadLettersCases, adapter);
}
