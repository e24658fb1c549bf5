import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { THIRD_PARTY_MODELS, thirdPartyFolder } from '../../models/third-party.ts';
import { constantAnswer, endlessLoop, idLookup, type ModelFiles } from '../support/bad-models.ts';
import { type ApiClient, firstOutput, fourOf, type InferJson, type JsonTensor } from '../support/http-client.ts';
import { expectProblem } from '../support/problems.ts';
import { pushModel, upload, withManifest } from '../support/push-model.ts';
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

/** `constantAnswer` under a name of its own. */
function answering(value: number, name: string, changes: object = {}): ModelFiles {
  return withManifest(constantAnswer(value), { name, ...changes });
}

type VersionJson = {
  readonly version: string;
  readonly signature: { readonly inputs: readonly { name: string; shape: unknown[] }[] };
  readonly validation: { readonly golden_pairs: number; readonly row_ms: number; readonly memory_bytes: number };
};

describe('a push', () => {
  test('adds a version, with the signature of the graph and what validation measured', async () => {
    const pushed = await pushModel(operator, answering(1, 'first'));
    expect(pushed.status).toBe(201);
    expect(pushed.header('location')).toBe('/control/v1/models/first/versions/1');
    const version = pushed.json<VersionJson>();
    expect(version).toMatchObject({
      model: 'first',
      version: '1',
      signature: {
        inputs: [{ name: 'x', datatype: 'FP32', shape: ['batch', 4] }],
        outputs: [{ name: 'sum', datatype: 'FP32', shape: ['batch', 1] }],
      },
      validation: { golden_pairs: 1, largest_difference: 0 },
    });
    expect(version.validation.row_ms).toBeGreaterThan(0);
    expect((await operator.get('/control/v1/models/first/versions/1')).json()).toEqual(version);
    // The first version of a model serves at once.
    expect(firstOutput(await acme.infer('first', fourOf(1)))).toEqual([1]);
  });

  test('of the same again is the same version', async () => {
    await pushModel(operator, answering(2, 'same'));
    const again = await pushModel(operator, answering(2, 'same'));
    expect(again.status).toBe(200);
    expect(again.json<VersionJson>().version).toBe('1');
    const changed = await pushModel(operator, answering(2, 'same', { description: 'with words' }));
    expect({ status: changed.status, version: changed.json<VersionJson>().version }).toEqual({
      status: 201,
      version: '2',
    });
    const { items } = (await operator.get('/control/v1/models/same/versions')).json<{ items: VersionJson[] }>();
    expect(items.map(({ version }) => version)).toEqual(['1', '2']);
  });

  test('of several at once gives each a number of its own', async () => {
    const pushes = await Promise.all([10, 11, 12].map((value) => pushModel(operator, answering(value, 'together'))));
    expect(pushes.map((push) => push.json<VersionJson>().version).sort()).toEqual(['1', '2', '3']);
  });

  test('whose golden outputs the model does not meet is refused and leaves nothing', async () => {
    const files = answering(3, 'lying');
    const golden = files.golden.replace('"data":[3]', '"data":[4]');
    const problem = expectProblem(await pushModel(operator, { ...files, golden }), 'golden-mismatch', { pair: 1 });
    expect(problem.detail).toContain('golden pair 1: sum');
    expectProblem(await operator.get('/control/v1/models/lying/versions'), 'model-unknown');
    // Within the tolerance that the manifest allows it is met.
    const tolerant = { ...answering(3, 'lying', { tolerance: { absolute: 1, relative: 0 } }), golden };
    expect((await pushModel(operator, tolerant)).status).toBe(201);
  });

  test('with a bad manifest is told every problem at once', async () => {
    const manifest = { name: 'bad', timeoutMs: -1, colour: 'red', batching: { maxRows: 0 }, limits: 'none' };
    const files = { ...answering(1, 'bad'), manifest: manifest as unknown as ModelFiles['manifest'] };
    const { problems } = expectProblem(await pushModel(operator, files), 'manifest-invalid') as unknown as {
      problems: string[];
    };
    expect(problems.length).toBe(4);
    for (const place of ['timeoutMs', 'colour', 'batching.maxRows', 'limits']) {
      expect(
        problems.some((problem) => problem.includes(place)),
        place,
      ).toBe(true);
    }
  });

  test('whose manifest does not fit the graph is told every problem at once', async () => {
    const inputs = { x: { maxLength: 5, min: 2, max: 1 }, y: { min: 0 } };
    const { problems } = expectProblem(
      await pushModel(operator, answering(1, 'misfit', { inputs })),
      'manifest-invalid',
    ) as unknown as { problems: string[] };
    expect(problems.sort()).toEqual([
      'inputs.x.maxLength: for text only',
      'inputs.x.min: above max',
      'inputs.y: the model has no such input; it has x',
    ]);
  });

  test.each([
    ['is no model', new TextEncoder().encode('this is not a protobuf message')],
    ['is empty', new Uint8Array(0)],
    ['was cut short', constantAnswer(1).model.subarray(0, 60)],
  ])('of a file that %s is refused', async (_, model) => {
    expectProblem(await pushModel(operator, { ...answering(1, 'broken'), model }), 'model-invalid');
    expectProblem(await operator.get('/control/v1/models/broken/versions'), 'model-unknown');
  });

  test.each([
    ['is not JSON', '{"inputs": ['],
    ['has no outputs', '{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}'],
    [
      'names another input',
      '{"inputs":[{"name":"z","shape":[1],"datatype":"FP32","data":[1]}],"outputs":[{"name":"sum","shape":[1],"datatype":"FP32","data":[1]}]}',
    ],
  ])('with a golden file that %s is refused', async (_, golden) => {
    expectProblem(await pushModel(operator, { ...answering(1, 'broken'), golden }), 'golden-invalid');
  });

  test('of a model that never ends is refused in time', async () => {
    expectProblem(await pushModel(operator, endlessLoop('always')), 'validation-timeout');
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
    expect((await pushModel(operator, files)).status).toBe(201);
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
  expect((await pushModel(operator, files)).status).toBe(201);
  const ids = (shape: number[], ...data: number[]): JsonTensor[] => [{ name: 'ids', shape, datatype: 'INT64', data }];
  expect(firstOutput(await acme.infer('id-lookup', ids([1, 3], 0, 1, 9)))).toEqual([515]);
  const at = { field: 'inputs[0].data', min: 0, max: 9 };
  expectProblem(await acme.infer('id-lookup', ids([1, 2], 0, 10)), 'value-out-of-range', { ...at, index: 1 });
  expectProblem(await acme.infer('id-lookup', ids([1, 1], -1)), 'value-out-of-range', { ...at, index: 0 });
  expectProblem(await acme.infer('id-lookup', ids([5, 1], 1, 1, 1, 1, 1)), 'input-too-large', { limit: 4 });
  expectProblem(await acme.infer('id-lookup', ids([1, 4], 1, 1, 1, 1)), 'input-too-large', { limit: 3 });
});
