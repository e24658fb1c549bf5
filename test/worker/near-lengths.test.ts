import { expect, test } from 'vitest';
import { paddingSteps } from '../../core/inference/padding-steps.ts';
import type { Signature } from '../../core/models/signature.ts';
import { aJob, aVersion, floats } from '../support/jobs.ts';
import { startFakeWorker, type WorkerSetup } from '../support/worker-setup.ts';

const TOKENS: Signature = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: ['batch', 'seq'] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: ['batch', 'seq'] }],
};
/** A row of 32 takes 10 ms alone and 8 ms more in company; one of 64 twice as long. */
const SPEED = [32, 64].flatMap((length) =>
  [1, 2, 4].map((rows) => ({ rows, length, runMs: (length / 32) * (2 + 8 * rows) })),
);

const LONG = 40;
/** Of the next shorter step. */
const [FARTHEST, NEAR] = nextShorter(LONG);

function nextShorter(length: number): [shortest: number, longest: number] {
  const stepOf = paddingSteps(SPEED, aVersion().manifest.limits.maxLength);
  let longest = length;
  while (stepOf(longest) === stepOf(length)) longest -= 1;
  let shortest = longest;
  while (stepOf(shortest - 1) === stepOf(longest)) shortest -= 1;
  return [shortest, longest];
}

async function workerOf(runners: number): Promise<WorkerSetup> {
  const plain = aVersion({
    signature: TOKENS,
    manifest: { inputs: { x: { pad: 0 } }, batching: { maxRows: 16, maxBatchMs: 1000 } },
  });
  const version = { ...plain, validation: { ...plain.validation, speed: SPEED } };
  const setup = await startFakeWorker({ runners }, (world) => world.add(version, 'm.onnx'));
  setup.runners.runMs = () => 50;
  return setup;
}

/** Sends rows of these lengths while a runner is busy; the lengths of each run after that one. */
async function runsOf({ world, runners }: WorkerSetup, lengths: readonly number[]): Promise<number[][]> {
  const send = (length: number) => world.send(aJob({ inputs: [floats('x', [1, length], Array(length).fill(length))] }));
  const first = send(200);
  await expect.poll(() => runners.runs.length).toBe(1);
  const outcomes = await Promise.all(lengths.map(send));
  await first;
  for (const [at, outcome] of outcomes.entries()) {
    if (outcome.kind === 'failed') throw new Error(outcome.code);
    expect(outcome.outputs[0]!.shape).toEqual([1, lengths[at]]);
    expect(new Set(outcome.outputs[0]!.data as Float32Array)).toEqual(new Set([lengths[at]! + 1]));
  }
  return runners.runs.slice(1).map(({ inputs }) => {
    const { data, shape } = inputs[0]!;
    return Array.from({ length: shape[0]! }, (_, row) => (data as Float32Array)[row * shape[1]!]!);
  });
}

test('a lone row shares the run of the next longer ones, and gets its own length back', async () => {
  expect(await runsOf(await workerOf(1), [LONG, LONG, NEAR])).toEqual([[LONG, LONG, NEAR]]);
});

test('a lone row takes the next shorter ones along, padded', async () => {
  expect(await runsOf(await workerOf(1), [LONG, NEAR])).toEqual([[LONG, NEAR]]);
  expect(await runsOf(await workerOf(1), [NEAR, LONG])).toEqual([[NEAR, LONG]]);
});

test('rows of far lengths have runs of their own', async () => {
  expect(await runsOf(await workerOf(1), [LONG, LONG, LONG / 2])).toEqual([[LONG, LONG], [LONG / 2]]);
});

test('rows that are enough for a good run of their own do not pad it', async () => {
  const near = Array<number>(8).fill(FARTHEST);
  expect(await runsOf(await workerOf(1), [LONG, LONG, ...near])).toEqual([[LONG, LONG], near]);
});
