import { describe, expect, test } from 'vitest';
import { fateOfJob } from '../../../core/release/revoked-job.ts';

const route = { revoked: '2', serving: '1' };
const job = { version: '2', versionNamed: false };
const plain = (version: string) => ({ version, tokenizerDigest: undefined });
const tokenized = (version: string, tokenizerDigest: string) => ({ version, tokenizerDigest });

describe('an admitted job', () => {
  test('of a revoked version runs on the one that serves', () => {
    expect(fateOfJob(job, route, plain('2'), plain('1'))).toEqual({ kind: 'run-on', version: '1' });
    expect(fateOfJob(job, route, tokenized('2', 'a'), tokenized('1', 'a'))).toEqual({ kind: 'run-on', version: '1' });
  });

  test('whose caller named the version runs on that one', () => {
    expect(fateOfJob({ ...job, versionNamed: true }, route, plain('2'), plain('1'))).toEqual({ kind: 'run' });
  });

  test.each([
    ['there is no release', undefined],
    ['nothing is revoked', { revoked: undefined, serving: '1' }],
    ['another version is revoked', { revoked: '3', serving: '1' }],
  ])('runs as admitted where %s', (_, known) => {
    expect(fateOfJob(job, known, plain('2'), plain('1'))).toEqual({ kind: 'run' });
  });

  test.each([
    ['the tokenizers differ', tokenized('2', 'a'), tokenized('1', 'b')],
    ['only one has a tokenizer', tokenized('2', 'a'), plain('1')],
    ['it is not known which tokens it holds', undefined, plain('1')],
    ['the version that serves is not there', plain('2'), undefined],
    ['another version than the one that serves was read', plain('2'), plain('3')],
  ])('is dropped, never run on wrong ids, where %s', (_, admitted, serving) => {
    expect(fateOfJob(job, route, admitted, serving).kind).toBe('drop');
  });
});
