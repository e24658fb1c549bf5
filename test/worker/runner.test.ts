import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { SystemClock } from '../../adapters/node/system-clock.ts';
import { writeModel } from '../../adapters/onnx/graph/codec.ts';
import type { ModelRunner } from '../../adapters/onnx/model-runner.ts';
import { descendantsOf } from '../../bin/descendants.ts';
import type { Tensor } from '../../core/inference/tensor.ts';
import { spawnRunner } from '../../gpu-worker/runner-process.ts';
import { graphBuilder, onnxModel, tensorValue } from '../../models/onnx/graph.ts';
import { crashOnMinusOne, endlessLoop, idLookup, type ModelFiles } from '../support/bad-models.ts';
import { isRunning } from '../support/processes.ts';

const clock = new SystemClock();
const folder = mkdtempSync(join(tmpdir(), 'sluice-runner-'));
const never = Number.POSITIVE_INFINITY;
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf({ model, manifest }: ModelFiles): string {
  const path = join(folder, `${manifest.name}.onnx`);
  writeFileSync(path, model);
  return path;
}

function startRunner(): ModelRunner {
  const runner = spawnRunner({ provider: 'cpu', intraOpThreads: 1, environment: {} }, clock);
  onTestFinished(() => runner.kill());
  return runner;
}

/** As the worker does: looks every few milliseconds whether the call is overdue. */
function watch(runner: ModelRunner): void {
  const timer = setInterval(() => runner.killIfOverdue(clock.nowMs()), 5);
  onTestFinished(() => clearInterval(timer));
}

function int64s(name: string, shape: readonly number[], ...values: readonly number[]): Tensor {
  return { name, datatype: 'INT64', shape, data: BigInt64Array.from(values, BigInt) };
}

function ofX(value: number): Tensor[] {
  return [{ name: 'x', datatype: 'FP32', shape: [1, 1], data: Float32Array.of(value) }];
}

describe('a runner', () => {
  test('reads the signature from the graph, runs many models, and says what it occupies', async () => {
    const runner = startRunner();
    const loaded = await runner.load(1, fileOf(idLookup()), never);
    if (loaded.kind !== 'loaded') throw new Error(loaded.kind);
    expect(loaded.signature).toEqual({
      inputs: [{ name: 'ids', datatype: 'INT64', shape: ['batch', 'sequence'] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: ['batch'] }],
    });
    expect((await runner.load(2, fileOf(endlessLoop('positive')), never)).kind).toBe('loaded');
    const answer = await runner.run(1, [int64s('ids', [2, 2], 0, 1, 2, 2)], never);
    if (answer.kind !== 'done') throw new Error(answer.kind);
    expect(answer.outputs).toEqual([{ name: 'y', datatype: 'FP32', shape: [2], data: Float32Array.of(3, 8) }]);
    expect(answer.computeMs).toBeGreaterThan(0);
    expect(runner.residentBytes()).toBeGreaterThan(10_000_000);
    expect((await runner.run(2, ofX(-1), never)).kind).toBe('done');
  });

  test('refuses what is no model, what is not there and what the model refuses, and lives on', async () => {
    const runner = startRunner();
    writeFileSync(join(folder, 'text.onnx'), 'not a model');
    expect((await runner.load(1, join(folder, 'text.onnx'), never)).kind).toBe('refused');
    expect((await runner.load(1, join(folder, 'nothing.onnx'), never)).kind).toBe('refused');
    await runner.load(1, fileOf(idLookup()), never);
    expect((await runner.run(1, [int64s('ids', [1, 1], 10)], never)).kind).toBe('refused');
    expect((await runner.run(1, [], never)).kind).toBe('refused');
    expect((await runner.run(7, [int64s('ids', [1, 1], 1)], never)).kind).toBe('refused');
    expect((await runner.run(1, [int64s('ids', [1, 1], 1)], never)).kind).toBe('done');
    expect(runner.alive()).toBe(true);
  });

  test('starts without the TypeScript compiler once its sources are in the cache', async () => {
    const settings = {
      provider: 'cpu',
      intraOpThreads: 1,
      environment: {},
      cacheFolder: join(folder, 'cache'),
    } as const;
    const sizes: number[] = [];
    for (let start = 0; start < 2; start += 1) {
      const runner = spawnRunner(settings, clock);
      onTestFinished(() => runner.kill());
      const loaded = await runner.load(1, fileOf(idLookup()), never);
      if (loaded.kind === 'loaded') sizes.push(loaded.beforeBytes);
    }
    expect(sizes[1]).toBeLessThan(sizes[0]! - 10_000_000);
  });

  test('is killed at its deadline, whatever the model does', async () => {
    const runner = startRunner();
    watch(runner);
    await runner.load(1, fileOf(endlessLoop('positive')), never);
    const startedMs = clock.nowMs();
    const answer = await runner.run(1, ofX(1), startedMs + 200);
    expect(answer.kind).toBe('timed-out');
    expect(clock.nowMs() - startedMs).toBeLessThan(2000);
    await runner.ended;
    expect((await runner.run(1, ofX(-1), never)).kind).toBe('crashed');
  });

  test('refuses a run that asks for more memory than its limit, and lives on', async () => {
    const runner = spawnRunner(
      { provider: 'cpu', intraOpThreads: 1, environment: {}, memoryLimitBytes: 1_000_000_000 },
      clock,
    );
    onTestFinished(() => runner.kill());
    await runner.load(1, fileOf(greedy()), never);
    const size = (count: number) => int64s('count', [1], count);
    expect((await runner.run(1, [size(1000)], never)).kind).toBe('done');
    expect((await runner.run(1, [size(1_500_000_000)], never)).kind).toBe('refused');
    expect((await runner.run(1, [size(1000)], never)).kind).toBe('done');
  });

  test('that dies of a native crash answers so', async () => {
    const runner = startRunner();
    await runner.load(1, fileOf(crashOnMinusOne()), never);
    expect((await runner.run(1, [int64s('n', [1], 3)], never)).kind).toBe('done');
    expect((await runner.run(1, [int64s('n', [1], -1)], never)).kind).toBe('crashed');
    await runner.ended;
    expect(runner.alive()).toBe(false);
  });

  test('carries large tensors whole', async () => {
    const runner = startRunner();
    await runner.load(1, fileOf(idLookup()), never);
    const rows = 300_000;
    const data = BigInt64Array.from({ length: rows }, (_, at) => BigInt(at % 10));
    const answer = await runner.run(1, [{ name: 'ids', datatype: 'INT64', shape: [rows, 1], data }], never);
    if (answer.kind !== 'done') throw new Error(answer.kind);
    expect(answer.outputs[0]!.shape).toEqual([rows]);
    expect(new Set(answer.outputs[0]!.data as Float32Array)).toEqual(new Set([1, 2, 4, 8, 16, 32, 64, 128, 256, 512]));
  });

  test('has an empty environment and may not write its memory into a core file', async () => {
    const runner = startRunner();
    await runner.load(1, fileOf(idLookup()), never);
    const pids = descendantsOf(process.pid).filter((pid) => commandOf(pid).includes('runner.ts'));
    expect(pids.length).toBeGreaterThan(0);
    // The shell that guards the runner sets its own working directory and nothing else.
    for (const pid of pids) {
      expect(namesIn(readFileSync(`/proc/${pid}/environ`, 'utf8'))).toEqual([]);
      expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).toMatch(/Max core file size +0 /);
    }
  });

  test('does not outlive a worker that is killed, even while a model blocks it', async () => {
    const program = fileURLToPath(new URL('../support/runner-parent.ts', import.meta.url));
    const parent = spawn(process.execPath, [program, fileOf(endlessLoop('positive'))]);
    await new Promise((resolve) => parent.stdout.once('data', resolve));
    const pids = descendantsOf(parent.pid!);
    expect(pids.some((pid) => commandOf(pid).includes('runner.ts'))).toBe(true);
    parent.kill('SIGKILL');
    await expect.poll(() => pids.filter(isRunning), { timeout: 5000 }).toEqual([]);
  });
});

/** `count` INT64 [1] to the greatest of so many floats, all 0. */
function greedy(): ModelFiles {
  const builder = graphBuilder('greedy');
  builder.opTo(['most'], 'ReduceMax', [builder.op('ConstantOfShape', ['count'])], { keepdims: 0 });
  const graph = builder.graph([tensorValue('count', 'int64', [1])], [tensorValue('most', 'float', [])]);
  return { model: writeModel(onnxModel(graph, { '': 17 }, 'greedy')), manifest: { name: 'greedy' }, golden: '' };
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function namesIn(environment: string): string[] {
  const names = environment.split('\0').map((entry) => entry.split('=')[0]!);
  return names.filter((name) => name !== '' && name !== 'PWD' && name !== 'OLDPWD' && name !== '_' && name !== 'SHLVL');
}
