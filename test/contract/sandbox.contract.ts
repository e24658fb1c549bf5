import { expect } from 'vitest';
import type { Sandbox, SandboxedModel } from '../../core/ports/sandbox.ts';
import { GIB, MIB, MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { crashOnCue, endlessLoop, idLookup, type ModelFiles } from '../support/bad-models.ts';
import { fp32, int64 } from '../support/fake-sandbox.ts';
import { hungry } from '../support/mixing-models.ts';
import { type Adapter, type Case, describeContract, type Subject } from './contract.ts';

/** `write` gives a model's file a place; `left` counts what runs or lies about because of models that are not closed. */
export type SandboxSubject = Subject<Sandbox> & {
  write(model: Uint8Array): string;
  left(): Promise<number>;
};

type SandboxCase = Case<SandboxSubject>;

const LIMITS = { memoryBytes: GIB, loadMs: MINUTE_MS };
const NINE = 512;

export const sandboxCases: readonly SandboxCase[] = [
  {
    name: 'reads what a graph takes and gives, runs it, and leaves nothing when it is closed',
    async run(subject) {
      const model = await loaded(subject, idLookup());
      expect(model.signature).toEqual({
        inputs: [{ name: 'ids', datatype: 'INT64', shape: ['batch', 'sequence'] }],
        outputs: [{ name: 'y', datatype: 'FP32', shape: ['batch'] }],
      });
      expect(model.loadMs).toBeGreaterThan(0);
      const answer = await model.run([int64('ids', [2, 1], [9, 0])], SECOND_MS);
      expect(answer).toMatchObject({ kind: 'done', outputs: [fp32('y', [2], [NINE, 1])] });
      expect(answer.computeMs).toBeGreaterThan(0);
      expect(await subject.left()).toBeGreaterThan(0);
      await model.close();
      await model.close();
      expect(await subject.left()).toBe(0);
    },
  },
  {
    name: 'refuses what is no model with a reason that names no place, and leaves nothing',
    async run(subject) {
      const path = subject.write(new TextEncoder().encode('not a model'));
      const load = await subject.port.load(path, LIMITS);
      if (load.kind !== 'refused') throw new Error(load.kind);
      expect(load.reason).not.toBe('');
      expect(load.reason).not.toContain(path.split('/')[1]);
      expect(await subject.left()).toBe(0);
    },
  },
  {
    name: 'goes on after a run that the model refuses',
    async run(subject) {
      const model = await loaded(subject, idLookup());
      expect((await model.run([int64('ids', [1, 1], [10])], SECOND_MS)).kind).toBe('refused');
      expect((await model.run([int64('ids', [1, 1], [9])], SECOND_MS)).kind).toBe('done');
      await model.close();
    },
  },
  {
    name: 'outlives a run that ends its process, which then answers no more',
    async run(subject) {
      const model = await loaded(subject, crashOnCue());
      const run = (n: number) => model.run([int64('n', [1], [n])], SECOND_MS);
      expect((await run(2)).kind).toBe('done');
      expect((await run(-4242)).kind).toBe('crashed');
      expect((await run(2)).kind).toBe('crashed');
      await model.close();
      expect(await subject.left()).toBe(0);
    },
  },
  {
    name: 'ends a run that does not end by itself at its limit',
    async run(subject) {
      const model = await loaded(subject, endlessLoop('positive'));
      const run = (x: number) => model.run([fp32('x', [1, 1], [x])], 300);
      expect((await run(-1)).kind).toBe('done');
      const startedMs = subject.nowMs();
      const answer = await run(1);
      expect(answer.kind).toBe('timed-out');
      expect(answer.computeMs).toBeGreaterThanOrEqual(300);
      expect(subject.nowMs() - startedMs).toBeLessThan(5 * SECOND_MS);
      await model.close();
    },
  },
  {
    name: 'knows the most memory that was taken, though it was given back',
    async run(subject) {
      const model = await loaded(subject, hungry());
      const run = (n: number) => model.run([int64('n', [1], [n])], 10 * SECOND_MS);
      await run(1);
      const before = model.peakBytes();
      expect(before).toBeGreaterThan(0);
      await run(16_000_000);
      await run(1);
      // 16 million floats.
      expect(model.peakBytes() - before).toBeGreaterThan(50 * MIB);
      expect(model.peakBytes() - before).toBeLessThan(200 * MIB);
      await model.close();
    },
  },
  {
    name: 'gives no model more memory than it may have',
    async run(subject) {
      const files = hungry();
      const load = await subject.port.load(subject.write(files.model), { ...LIMITS, memoryBytes: 300 * MIB });
      if (load.kind !== 'loaded') throw new Error(load.kind);
      const run = (n: number): Promise<{ kind: string }> => load.model.run([int64('n', [1], [n])], 10 * SECOND_MS);
      expect((await run(1)).kind).toBe('done');
      // Two gigabytes: the runner itself may take one.
      expect(['refused', 'crashed']).toContain((await run(500_000_000)).kind);
      await load.model.close();
    },
  },
];

async function loaded(subject: SandboxSubject, { model }: ModelFiles): Promise<SandboxedModel> {
  const load = await subject.port.load(subject.write(model), LIMITS);
  if (load.kind !== 'loaded') throw new Error(load.kind);
  return load.model;
}

export function describeSandboxContract(name: string, adapter: Adapter<Sandbox, SandboxSubject>): void {
  describeContract(`sandbox: ${name}`, sandboxCases, adapter);
}
