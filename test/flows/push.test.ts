import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { z } from 'zod';
import { STATUS } from '../../core/api/problem.ts';
import type { versionJson } from '../../core/api/schemas.ts';
import type { ValidationJson } from '../../core/api/validation-json.ts';
import type { FailureCode } from '../../core/failure.ts';
import { CHECKS } from '../../core/models/report.ts';
import { THIRD_PARTY_MODELS, thirdPartyFolder } from '../../models/third-party.ts';
import {
  constantAnswer,
  crashOnMinusOne,
  endlessLoop,
  idLookup,
  type ModelFiles,
  slowModel,
} from '../support/bad-models.ts';
import { type ApiClient, firstOutput, fourOf, type InferJson, type JsonTensor } from '../support/http-client.ts';
import { expectProblem } from '../support/problems.ts';
import { followValidation, pushAndFollow, pushModel, startPush, upload, withManifest } from '../support/push-model.ts';
import { type RunningPlatform, startRunning } from '../support/running-platform.ts';

const SHARED_MODELS = join(import.meta.dirname, '..', '..', '..', 'shared', 'models');

let running: RunningPlatform;
let operator: ApiClient;
let acme: ApiClient;

beforeAll(async () => {
  running = await startRunning();
  operator = await running.addKey(undefined);
  acme = await running.addTenant('acme');
});

afterAll(() => running.end());

type VersionJson = z.infer<typeof versionJson>;

/** `constantAnswer` under a name of its own. */
function answering(value: number, name: string, changes: object = {}): ModelFiles {
  return withManifest(constantAnswer(value), { name, ...changes });
}

const checkNames = ({ checks }: ValidationJson) => checks.map(({ check }) => check);

/** The problem that a refused validation shows. */
function expectRefusal(validation: ValidationJson, code: FailureCode, members: object = {}): Record<string, unknown> {
  expect(validation).toMatchObject({ state: 'refused', version: null, problem: { code, ...members } });
  const problem = validation.problem!;
  expect(problem.status).toBe(STATUS[code]);
  for (const member of ['title', 'detail', 'advice']) expect(problem[member], member).toMatch(/\w/);
  expect(problem.instance).toBe(`/control/v1/models/${validation.model}/validations/${validation.id}`);
  return problem;
}

describe('a push', () => {
  test('is accepted at once, validated while anyone may look, and becomes a version with its report', async () => {
    const accepted = await startPush(operator, answering(1, 'first'));
    expect(accepted.status).toBe(202);
    expect(accepted.header('retry-after')).toBe('1');
    const { id } = accepted.json<ValidationJson>();
    expect(accepted.header('location')).toBe(`/control/v1/models/first/validations/${id}`);
    const validation = await followValidation(operator, accepted.header('location')!);
    expect(validation).toMatchObject({ id, model: 'first', state: 'accepted', version: '1', problem: null });
    expect(checkNames(validation)).toEqual(CHECKS);
    const version = (await operator.get('/control/v1/models/first/versions/1')).json<VersionJson>();
    expect(version).toMatchObject({
      model: 'first',
      version: '1',
      signature: {
        inputs: [{ name: 'x', datatype: 'FP32', shape: ['batch', 4] }],
        outputs: [{ name: 'sum', datatype: 'FP32', shape: ['batch', 1] }],
      },
      validation: { golden_pairs: 1, largest_difference: 0, batch_mates: { verdict: 'independent' }, repairs: [] },
    });
    const { speed, batching, row_ms: rowMs, memory_bytes: memoryBytes, checks } = version.validation;
    expect(rowMs).toBeGreaterThan(0);
    expect(memoryBytes).toBeGreaterThan(0);
    expect(batching.max_rows).toBeGreaterThan(1);
    expect(speed.map(({ rows }) => rows)).toContain(1);
    expect(checks).toEqual(validation.checks);
    // The first version of a model serves at once.
    expect(firstOutput(await acme.infer('first', fourOf(1)))).toEqual([1]);
  });

  test('shows what is being looked at and what was found so far', async () => {
    const seen: ValidationJson[] = [];
    const accepted = await startPush(operator, withManifest(slowModel(), { name: 'watched' }));
    await followValidation(operator, accepted.header('location')!, (look) => seen.push(look));
    const running = seen.filter(({ state, progress }) => state === 'running' && progress !== null);
    expect(running.some(({ checks }) => checks.length > 0 && checks.length < CHECKS.length)).toBe(true);
    // What was found stays found.
    for (const [at, { checks }] of seen.entries()) {
      expect(checks.length).toBeGreaterThanOrEqual(seen[at - 1]?.checks.length ?? 0);
    }
  });

  test('of the same again adds nothing and answers with the version', async () => {
    expect((await pushAndFollow(operator, answering(2, 'same'))).version).toBe('1');
    const again = await startPush(operator, answering(2, 'same'));
    expect(again.status).toBe(200);
    expect(again.header('location')).toBe('/control/v1/models/same/versions/1');
    expect(again.json<VersionJson>().version).toBe('1');
    const changed = await pushAndFollow(operator, answering(2, 'same', { description: 'with words' }));
    expect(changed.version).toBe('2');
    const { items } = (await operator.get('/control/v1/models/same/versions')).json<{ items: VersionJson[] }>();
    expect(items.map(({ version }) => version)).toEqual(['1', '2']);
    const validations = (await operator.get('/control/v1/models/same/validations')).json<{ items: ValidationJson[] }>();
    expect(validations.items.map(({ version }) => version)).toEqual(['2', '1']);
  });

  test('of the same twice at once is validated once', async () => {
    const files = answering(4, 'twice');
    const pushes = await Promise.all([startPush(operator, files), startPush(operator, files)]);
    expect(pushes.map(({ status }) => status)).toEqual([202, 202]);
    expect(pushes[0]!.header('location')).toBe(pushes[1]!.header('location'));
    expect(await followValidation(operator, pushes[0]!.header('location')!)).toMatchObject({ version: '1' });
    const { items } = (await operator.get('/control/v1/models/twice/versions')).json<{ items: VersionJson[] }>();
    expect(items.length).toBe(1);
  });

  test('of several at once gives each a number of its own', async () => {
    const pushes = await Promise.all(
      [10, 11, 12].map((value) => pushAndFollow(operator, answering(value, 'together'))),
    );
    expect(pushes.map(({ version }) => version).sort()).toEqual(['1', '2', '3']);
  });

  test('whose golden outputs the model does not meet is refused with reason and advice, and leaves no version', async () => {
    const files = answering(3, 'lying');
    const golden = files.golden.replace('"data":[3]', '"data":[4]');
    const validation = await pushAndFollow(operator, { ...files, golden });
    const problem = expectRefusal(validation, 'golden-mismatch', { pair: 1 });
    expect(problem.detail).toContain('pair 1: sum');
    expect(validation.checks.at(-1)).toMatchObject({ check: 'golden', outcome: 'refused' });
    expectProblem(await operator.get('/control/v1/models/lying/versions'), 'model-unknown');
    const listed = await operator.get('/control/v1/models/lying/validations');
    expect(listed.json<{ items: ValidationJson[] }>().items).toEqual([validation]);
    // Within the tolerance that the manifest allows it is met.
    const tolerant = { ...answering(3, 'lying', { tolerance: { absolute: 1, relative: 0 } }), golden };
    expect((await pushAndFollow(operator, tolerant)).state).toBe('accepted');
  });

  test('with a bad manifest is told every problem at once, before anything is stored', async () => {
    const manifest = {
      name: 'bad',
      timeoutMs: -1,
      colour: 'red',
      batching: { maxRows: 0 },
      limits: 'none',
      tokenizer: {},
      fallback: { model: 'nowhere' },
      variants: { gold: 'first' },
    };
    const files = { ...answering(1, 'bad'), manifest: manifest as unknown as ModelFiles['manifest'] };
    const { problems } = expectProblem(await startPush(operator, files), 'manifest-invalid');
    expect((problems as string[]).map((problem) => problem.split(':')[0]).sort()).toEqual(
      ['timeoutMs', 'colour', 'batching.maxRows', 'limits', 'tokenizer', 'fallback.model', 'variants.gold'].sort(),
    );
    expect((await operator.get('/control/v1/models/bad/validations')).json()).toEqual({ items: [] });
  });

  test('whose manifest does not fit the graph is told every problem at once', async () => {
    const inputs = { x: { maxLength: 5, min: 2, max: 1 }, y: { min: 0 } };
    const validation = await pushAndFollow(operator, answering(1, 'misfit', { inputs }));
    expect((expectRefusal(validation, 'manifest-invalid').problems as string[]).sort()).toEqual([
      'inputs.x.maxLength: for text only',
      'inputs.x.min: above max',
      'inputs.y: the model has no such input; it has x',
    ]);
  });

  test.each([
    ['is no model', new TextEncoder().encode('this is not a protobuf message')],
    ['was cut short', constantAnswer(1).model.subarray(0, 60)],
  ])('of a file that %s is refused', async (_, model) => {
    expectRefusal(await pushAndFollow(operator, { ...answering(1, 'broken'), model }), 'model-invalid');
    expectProblem(await operator.get('/control/v1/models/broken/versions'), 'model-unknown');
  });

  test('of an empty file is refused at once', async () => {
    expectProblem(await startPush(operator, { ...answering(1, 'broken'), model: new Uint8Array(0) }), 'model-invalid');
  });

  test.each([
    ['is not JSON', '{"inputs": ['],
    ['has no outputs', '{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}'],
  ])('with a golden file that %s is refused at once', async (_, golden) => {
    expectProblem(await startPush(operator, { ...answering(1, 'broken'), golden }), 'golden-invalid', { line: 1 });
  });

  test('with a golden pair that no caller could send is refused', async () => {
    const golden =
      '{"inputs":[{"name":"z","shape":[1],"datatype":"FP32","data":[1]}],"outputs":[{"name":"sum","shape":[1],"datatype":"FP32","data":[1]}]}';
    expectRefusal(await pushAndFollow(operator, { ...answering(1, 'broken'), golden }), 'golden-invalid', { pair: 1 });
  });

  test('of a model that never ends, or that an allowed input kills, is refused in time', async () => {
    expectRefusal(await pushAndFollow(operator, endlessLoop('always')), 'validation-timeout');
    expectRefusal(await pushAndFollow(operator, crashOnMinusOne()), 'model-crashes');
    // The platform is none the worse for it.
    expect((await acme.infer('first', fourOf(1))).status).toBe(200);
  });

  test('under another name than its manifest says is refused', async () => {
    const body = {
      manifest: answering(1, 'one').manifest,
      model_upload: await upload(operator, constantAnswer(1).model),
    };
    expectProblem(await operator.post('/control/v1/models/two/versions', body), 'manifest-invalid');
  });

  test('of an upload that is not there, not sent or another\u2019s is refused', async () => {
    const { manifest, model } = answering(1, 'stolen');
    const push = (caller: ApiClient, id: string) =>
      caller.post('/control/v1/models/stolen/versions', { manifest, model_upload: id });
    expectProblem(await push(operator, 'upl_0'), 'upload-unknown');
    const unsent = (await operator.post('/control/v1/uploads', {})).json<{ id: string }>();
    expectProblem(await push(operator, unsent.id), 'upload-unknown');
    const colleague = await running.addKey(undefined);
    expectProblem(await push(colleague, await upload(operator, model)), 'upload-unknown');
  });

  test('and its validations are for operators alone', async () => {
    const { id } = (await startPush(operator, answering(1, 'mine'))).json<ValidationJson>();
    const path = `/control/v1/models/mine/validations`;
    for (const caller of [acme, await running.addKey('acme')]) {
      expectProblem(await caller.get(path), 'forbidden');
      expectProblem(await caller.get(`${path}/${id}`), 'forbidden');
      expectProblem(await caller.post('/control/v1/uploads', {}), 'forbidden');
      const body = { manifest: { name: 'mine' }, model_upload: 'upl_0' };
      expectProblem(await caller.post('/control/v1/models/mine/versions', body), 'forbidden');
    }
    expectProblem(await operator.get(`/control/v1/models/another/validations/${id}`), 'validation-unknown');
    expectProblem(await operator.get(`${path}/val_${'0'.repeat(32)}`), 'validation-unknown');
    expect((await followValidation(operator, `${path}/${id}`)).state).toBe('accepted');
  });
});

describe('an upload', () => {
  test('takes no more than it was made for, once, and only with its token', async () => {
    const created = await operator.post('/control/v1/uploads', { max_bytes: 4 });
    const { url } = created.json<{ url: string }>();
    const anyone = running.client(undefined);
    expectProblem(await anyone.send('PUT', url.replace(/token=.*/, 'token=guess'), { body: 'abcd' }), 'upload-unknown');
    expectProblem(await anyone.send('PUT', url, { body: 'abcde' }), 'body-too-large', { limit_bytes: 4 });
    expect((await anyone.send('PUT', url, { body: 'abcd' })).json()).toEqual({ size_bytes: 4 });
    expectProblem(await anyone.send('PUT', url, { body: 'abcd' }), 'upload-unknown');
  });
});

describe('the stable version', () => {
  test('is switched for callers who name none within two seconds, and none of them fails', async () => {
    await pushModel(operator, answering(1, 'switched'));
    await pushModel(operator, answering(2, 'switched'));
    expect(firstOutput(await acme.infer('switched', fourOf(1)))).toEqual([1]);
    const put = await operator.send('PUT', '/control/v1/models/switched/stable', { body: { version: '2', epoch: 1 } });
    expect(put.json()).toEqual({ model: 'switched', stable: '2', epoch: 2 });
    const switchedAt = performance.now();
    await vi.waitFor(async () => {
      const answer = await acme.infer('switched', fourOf(1));
      expect(answer.status).toBe(200);
      expect(firstOutput(answer)).toEqual([2]);
    }, 3000);
    expect(performance.now() - switchedAt).toBeLessThan(2000);
    expect(firstOutput(await acme.infer('switched', fourOf(1), { version: '1' }))).toEqual([1]);
    const { items } = (await operator.get('/control/v1/models?limit=1000')).json<{ items: { model: string }[] }>();
    expect(items).toContainEqual({ model: 'switched', stable: '2', epoch: 2 });
  });

  test('is changed by one of two operators at once, and only to a version that is there', async () => {
    await pushModel(operator, answering(1, 'raced'));
    const put = (body: object) => operator.send('PUT', '/control/v1/models/raced/stable', { body });
    expectProblem(await put({ version: '2' }), 'version-unknown');
    expectProblem(await put({ version: '1', epoch: 7 }), 'state-conflict', { epoch: 1 });
    expectProblem(
      await operator.send('PUT', '/control/v1/models/nothing/stable', { body: { version: '1' } }),
      'model-unknown',
    );
  });
});

const missing = !existsSync(SHARED_MODELS);
if (missing) console.warn(`skipping the third-party models: ${SHARED_MODELS} is not there`);

describe.skipIf(missing)('models of others', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-third-party-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(THIRD_PARTY_MODELS)('%s is pushed and serves its golden pairs', async (name) => {
    const path = thirdPartyFolder(name, SHARED_MODELS, join(folder, name))!;
    const read = (file: string) => readFileSync(join(path, file));
    const files: ModelFiles = {
      model: read('model.onnx'),
      manifest: JSON.parse(read('manifest.json').toString()) as ModelFiles['manifest'],
      golden: read('golden.jsonl').toString(),
    };
    expect((await pushModel(operator, files)).status).toBe(200);
    const { absolute = 1e-4, relative = 1e-4 } = files.manifest.tolerance ?? {};
    const pairs = files.golden
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as GoldenPair);
    // All at once: rows of these share a run where the graph allows it, one image a run where it does not.
    const answers = await Promise.all(pairs.map(({ inputs }) => acme.infer(name, inputs)));
    for (const [at, { outputs }] of pairs.entries()) {
      expect(answers[at]!.status).toBe(200);
      const got = answers[at]!.json<InferJson>().outputs;
      for (const expected of outputs) {
        const data = got.find((output) => output.name === expected.name)?.data?.flat(16) ?? [];
        for (const [i, value] of (expected.data ?? []).flat(16).entries()) {
          if (typeof value !== 'number') expect(data[i]).toBe(value);
          else expect(Math.abs((data[i] as number) - value)).toBeLessThanOrEqual(absolute + relative * Math.abs(value));
        }
      }
    }
  });

  test('a batch of two for a graph that fixes it at one is refused', async () => {
    const inputs = [
      { name: 'Input3', shape: [2, 1, 28, 28], datatype: 'FP32', data: new Array<number>(2 * 784).fill(0) },
    ];
    expectProblem(await acme.infer('mnist-12', inputs), 'shape-mismatch', { field: 'inputs[0].shape' });
  });
});

type GoldenPair = { readonly inputs: JsonTensor[]; readonly outputs: JsonTensor[] };

test('a model whose manifest limits what it takes refuses the rest before it runs', async () => {
  const files = withManifest(idLookup(), {
    inputs: { ids: { min: 0, max: 9 } },
    limits: { maxRows: 4, maxLength: 3 },
  });
  expect((await pushModel(operator, files)).status).toBe(200);
  const ids = (shape: number[], ...data: number[]): JsonTensor[] => [{ name: 'ids', shape, datatype: 'INT64', data }];
  expect(firstOutput(await acme.infer('id-lookup', ids([1, 3], 0, 1, 9)))).toEqual([515]);
  const at = { field: 'inputs[0].data', min: 0, max: 9 };
  expectProblem(await acme.infer('id-lookup', ids([1, 2], 0, 10)), 'value-out-of-range', { ...at, index: 1 });
  expectProblem(await acme.infer('id-lookup', ids([1, 1], -1)), 'value-out-of-range', { ...at, index: 0 });
  expectProblem(await acme.infer('id-lookup', ids([5, 1], 1, 1, 1, 1, 1)), 'input-too-large', { limit: 4 });
  expectProblem(await acme.infer('id-lookup', ids([1, 4], 1, 1, 1, 1)), 'input-too-large', { limit: 3 });
});
