import { describe, expect, test } from 'vitest';
import type { Job } from '../../core/inference/job.ts';
import { decodeEnded, decodeJob, encodeEnded, encodeJob } from '../../core/inference/job-codec.ts';
import { encodeTensors } from '../../core/inference/tensor-codec.ts';
import { aJob, floats } from '../support/jobs.ts';

const LOT = { release: 'rel_1.1', cohort: 3, unit: 9 };
const [one, two] = [floats('x', [1, 1], [1]), floats('y', [1, 2], [2, 3])];

/** As JSON leaves it out. */
const defined = (job: Job) => JSON.parse(JSON.stringify(job));

describe('a stored job', () => {
  test.each<[string, Partial<Job>]>([
    ['that a release drew', { lot: LOT, onCandidate: true }],
    ['that is shadowed', { lot: LOT, shadowOn: '2' }],
    ['of no release', {}],
    ['with what its outputs are compared with', { shadow: { kind: 'outputs', outputs: [two, one] } }],
    ['with what its labels are compared with', { shadow: { kind: 'labels', labels: ['a', 'b'], tokenizer: 'digest' } }],
  ])('%s is read as it was written', (_, changes) => {
    const job = aJob({ inputs: [one, two], ...changes });
    const read = decodeJob(encodeJob(job));
    expect(defined(read)).toEqual(defined(job));
    expect(read.inputs).toEqual(job.inputs);
    expect(read.shadow).toEqual(job.shadow);
  });

  test('of a former version, which knows nothing of releases, is read', () => {
    const { inputs, lot: _, onCandidate: __, shadowOn: ___, shadow: ____, ...details } = aJob({ inputs: [one] });
    const json = Buffer.from(JSON.stringify(details));
    const head = Buffer.alloc(8);
    head.writeUInt32LE(json.length);
    const stored = Buffer.concat([head, json, Buffer.alloc(-json.length & 7), encodeTensors(inputs)]);
    expect(decodeJob(stored)).toEqual({ ...details, inputs });
  });

  test('that has ended keeps its lot', () => {
    const job = aJob({ lot: LOT });
    const outcome = { kind: 'failed' as const, code: 'internal' as const, facts: {}, computeMs: 0, endedAtMs: 1 };
    expect(decodeEnded(encodeEnded(job, outcome)).job.lot).toEqual(LOT);
  });
});
