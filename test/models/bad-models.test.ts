import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { manifestSchema } from '../../core/models/manifest.ts';
import {
  CUE,
  constantAnswer,
  crashOnCue,
  crashOnMinusOne,
  endlessLoop,
  idLookup,
  type ModelFiles,
  slowModel,
} from '../support/bad-models.ts';
import { readGolden } from './golden-check.ts';

const BAD_MODELS = join(import.meta.dirname, '..', 'support', 'bad-models.ts');

function load({ model }: ModelFiles): Promise<InferenceSession> {
  return InferenceSession.create(model, { intraOpNumThreads: 1, logSeverityLevel: 4 });
}

function int64(values: readonly (number | bigint)[], dims: readonly number[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(values, BigInt), dims);
}

function float32(values: readonly number[], dims: readonly number[]): Tensor {
  return new Tensor('float32', Float32Array.from(values), dims);
}

/** Evaluates `run` (after `model` is loaded as `session`) in a process of its own, killed after `killMs` without an end. */
async function runApart(
  model: string,
  feed: string,
  killMs: number,
): Promise<{ signal: string | null; output: string }> {
  const script = `
    import { createRequire } from 'node:module';
    import * as bad from ${JSON.stringify(BAD_MODELS)};
    const ort = createRequire(${JSON.stringify(BAD_MODELS)})('onnxruntime-node');
    const session = await ort.InferenceSession.create(bad.${model}.model, { logSeverityLevel: 4 });
    console.log('loaded');
    await session.run(${feed});
    console.log('answered');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  let output = '';
  let timer: NodeJS.Timeout | undefined;
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk;
    timer ??= setTimeout(() => child.kill('SIGKILL'), killMs);
  });
  const signal = await new Promise<string | null>((resolve) => child.on('exit', (_, by) => resolve(by)));
  clearTimeout(timer);
  return { signal, output };
}

test.each([
  endlessLoop('positive'),
  endlessLoop('cue'),
  crashOnMinusOne(),
  crashOnCue(),
  slowModel(),
  idLookup(),
  constantAnswer(42),
])('$manifest.name has a valid manifest and meets its golden pair', async (files) => {
  expect(manifestSchema.parse(files.manifest).name).toBe(files.manifest.name);
  const [pair] = readGolden(files.golden);
  const input = pair!.inputs[0]!;
  const values = input.data as number[];
  const session = await load(files);
  const answers = await session.run({
    [input.name]: input.datatype === 'INT64' ? int64(values, input.shape) : float32(values, input.shape),
  });
  const wanted = pair!.outputs[0]!;
  expect(answers[wanted.name]!.dims).toEqual(wanted.shape);
  expect([...(answers[wanted.name]!.data as Float32Array)]).toEqual(wanted.data);
  await session.release();
});

test.each([
  ["endlessLoop('always')", -1],
  ["endlessLoop('positive')", 1],
  ["endlessLoop('cue')", CUE.endless],
])('%s loads and then never answers', async (model, x) => {
  const run = await runApart(model, `{ x: new ort.Tensor('float32', [${x}], [1, 1]) }`, 1500);
  expect(run).toEqual({ signal: 'SIGKILL', output: 'loaded\n' });
});

test('crashOnMinusOne kills its process on a valid input', async () => {
  const run = await runApart('crashOnMinusOne()', "{ n: new ort.Tensor('int64', [5n, -1n], [2]) }", 20_000);
  expect(run).toEqual({ signal: 'SIGFPE', output: 'loaded\n' });
});

test('crashOnCue kills its process on its cue, and answers what others crash on', async () => {
  const run = await runApart('crashOnCue()', `{ n: new ort.Tensor('int64', [5n, ${CUE.crash}n], [2]) }`, 20_000);
  expect(run).toEqual({ signal: 'SIGFPE', output: 'loaded\n' });
  const session = await load(crashOnCue());
  const { y } = await session.run({ n: int64([-1, 0, 1, -(2n ** 63n), 2n ** 63n - 1n], [5]) });
  expect([...(y!.data as Float32Array)]).toEqual([-(2 ** 63), -(2 ** 63), -(2 ** 63), 1, -1]);
  await session.release();
});

test('endlessLoop on a cue answers everything else', async () => {
  const session = await load(endlessLoop('cue'));
  const { y } = await session.run({ x: float32([1, CUE.endless + 1, 3e38], [3, 1]) });
  expect([...(y!.data as Float32Array)]).toEqual([1, CUE.endless + 1, Math.fround(3e38)]);
  await session.release();
});

test('slowModel takes time for each round that it is asked for', async () => {
  const session = await load(slowModel());
  const took = async (rounds: readonly number[]) => {
    const startMs = performance.now();
    await session.run({ rounds: int64(rounds, [rounds.length]) });
    return performance.now() - startMs;
  };
  await took([1]);
  const fewMs = await took([1]);
  expect(await took([200, 200])).toBeGreaterThan(fewMs * 20);
  // What is more than it does in a minute it does not do at all.
  expect(await took([100_000, 2 ** 40])).toBeLessThan(1000);
  await session.release();
});

test('idLookup fails the whole run for one id out of range, and takes -1 for the last', async () => {
  const session = await load(idLookup());
  await expect(session.run({ ids: int64([1, 2, 3, 10], [2, 2]) })).rejects.toThrow('out of data bounds');
  const wrapped = await session.run({ ids: int64([-1], [1, 1]) });
  expect([...(wrapped.y!.data as Float32Array)]).toEqual([512]);
  await session.release();
});

test('constantAnswer gives its value for every row', async () => {
  const session = await load(constantAnswer(7));
  const { sum } = await session.run({ x: float32(new Array<number>(12).fill(Number.NaN), [3, 4]) });
  expect(sum!.dims).toEqual([3, 1]);
  expect([...(sum!.data as Float32Array)]).toEqual([7, 7, 7]);
  await session.release();
});
