import type { Sandbox, SandboxedModel } from '../../core/ports/sandbox.ts';
import { GIB, MINUTE_MS } from '../../core/units.ts';
import { type Fault, override } from './fault.ts';

export const BROKEN_SANDBOX: readonly Fault<Sandbox>[] = [
  {
    fault: 'lets a closed model run on',
    caughtBy: 'reads what a graph takes and gives, runs it, and leaves nothing when it is closed',
    breaks: (sandbox) => withModels(sandbox, () => ({ close: async () => {} })),
  },
  {
    fault: 'tells where the file lay',
    caughtBy: 'refuses what is no model with a reason that names no place, and leaves nothing',
    breaks: (sandbox) =>
      override(sandbox, {
        async load(path, limits) {
          const load = await sandbox.load(path, limits);
          return load.kind === 'refused' ? { ...load, reason: `${path}: ${load.reason}` } : load;
        },
      }),
  },
  {
    fault: 'gives a model up that refused one input',
    caughtBy: 'goes on after a run that the model refuses',
    breaks: (sandbox) =>
      withModels(sandbox, (model) => ({
        async run(inputs, limitMs) {
          const answer = await model.run(inputs, limitMs);
          if (answer.kind === 'refused') await model.close();
          return answer;
        },
      })),
  },
  {
    fault: 'starts a process that ended again by itself',
    caughtBy: 'outlives a run that ends its process, which then answers no more',
    breaks: (sandbox) =>
      override(sandbox, {
        async load(path, limits) {
          const load = await sandbox.load(path, limits);
          if (load.kind !== 'loaded') return load;
          let { model } = load;
          const run: SandboxedModel['run'] = async (inputs, limitMs) => {
            const answer = await model.run(inputs, limitMs);
            if (answer.kind !== 'crashed') return answer;
            await model.close();
            const again = await sandbox.load(path, limits);
            if (again.kind === 'loaded') model = again.model;
            return answer;
          };
          return { kind: 'loaded', model: override(model, { run, close: () => model.close() }) };
        },
      }),
  },
  {
    fault: 'takes every run to have ended by a crash',
    caughtBy: 'ends a run that does not end by itself at its limit',
    breaks: (sandbox) =>
      withModels(sandbox, (model) => ({
        async run(inputs, limitMs) {
          const answer = await model.run(inputs, limitMs);
          return answer.kind === 'timed-out' ? { ...answer, kind: 'crashed' } : answer;
        },
      })),
  },
  {
    fault: 'knows the memory of the first run alone',
    caughtBy: 'knows the most memory that was taken, though it was given back',
    breaks: (sandbox) =>
      withModels(sandbox, (model) => {
        let first: number | undefined;
        return {
          peakBytes() {
            first ??= model.peakBytes();
            return first;
          },
        };
      }),
  },
  {
    fault: 'gives all the memory that there is',
    caughtBy: 'gives no model more memory than it may have',
    breaks: (sandbox) =>
      override(sandbox, { load: (path) => sandbox.load(path, { memoryBytes: 64 * GIB, loadMs: MINUTE_MS }) }),
  },
];

function withModels(sandbox: Sandbox, changes: (model: SandboxedModel) => Partial<SandboxedModel>): Sandbox {
  return override(sandbox, {
    async load(path, limits) {
      const load = await sandbox.load(path, limits);
      return load.kind === 'loaded' ? { kind: 'loaded', model: override(load.model, changes(load.model)) } : load;
    },
  });
}
