import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../core/ports/clock.ts';
import type { Sandbox, SandboxedModel, SandboxLimits, SandboxLoad } from '../../core/ports/sandbox.ts';
import type { LoadAnswer, ModelRunner } from './model-runner.ts';

const WATCH_MS = 25;
const HANDLE = 1;

type Loaded = Extract<LoadAnswer, { kind: 'loaded' }>;

/**
 * A sandbox of processes that `spawn` starts; each takes one model and is killed when that is closed. Copies of the models lie in
 * folders of their own in `scratchFolder` until then: what the host leaves there when it is killed is nobody's.
 */
export function createSandbox(
  clock: Clock,
  spawn: (limits: SandboxLimits) => ModelRunner,
  scratchFolder: string = tmpdir(),
): Sandbox {
  return {
    async load(modelPath, limits) {
      // Alone in a folder: weights that the file says lie beside it are not there, and no other model's file is within reach.
      const runner = spawn(limits);
      const folder = await mkdtemp(join(scratchFolder, 'sluice-check-')).catch((error: unknown) => {
        runner.kill();
        throw error;
      });
      const path = join(folder, 'model.onnx');
      const watched = new AbortController();
      const watching = watch(runner, clock, watched.signal);
      const close = async () => {
        watched.abort();
        runner.kill();
        await watching;
        await rm(folder, { recursive: true, force: true });
      };
      try {
        await copyFile(modelPath, path);
        const answer = await runner.load(HANDLE, path, clock.nowMs() + limits.loadMs);
        const load = toLoad(answer, path, (loaded) => sandboxed(runner, clock, loaded, close));
        if (load.kind !== 'loaded') await close();
        return load;
      } catch (error) {
        await close();
        throw error;
      }
    },
  };
}

function toLoad(answer: LoadAnswer, path: string, toModel: (loaded: Loaded) => SandboxedModel): SandboxLoad {
  if (answer.kind === 'loaded') return { kind: 'loaded', model: toModel(answer) };
  if (answer.kind === 'refused') return { kind: 'refused', reason: answer.reason.replaceAll(path, 'the file') };
  return answer;
}

function sandboxed(runner: ModelRunner, clock: Clock, loaded: Loaded, close: () => Promise<void>): SandboxedModel {
  return {
    signature: loaded.signature,
    loadMs: loaded.loadMs,
    run: (inputs, limitMs) => runner.run(HANDLE, inputs, clock.nowMs() + limitMs),
    peakBytes: () => Math.max(0, runner.peakBytes() - loaded.beforeBytes),
    close,
  };
}

async function watch(runner: ModelRunner, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    runner.killIfOverdue(clock.nowMs());
    await clock.sleep(WATCH_MS, signal).catch(() => {});
  }
}
