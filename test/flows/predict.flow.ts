import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  inferRequestJson,
  inferResponseJson,
  modelListJson,
  modelMetadataJson,
  modelReadyJson,
  serverMetadataJson,
} from '../../core/api/oip-schemas.ts';
import { constantAnswer } from '../support/bad-models.ts';
import { ECHO_DATATYPES, type EchoDatatype, echoAll, echoText } from '../support/echo-models.ts';
import {
  type Answer,
  type ApiClient,
  firstOutput,
  fourOf,
  type InferJson,
  inferPath,
  type JsonTensor,
  texts,
} from '../support/http-client.ts';
import type { PlatformUnderTest, StartPlatform } from '../support/platform-under-test.ts';
import { expectProblem } from '../support/problems.ts';
import { withManifest } from '../support/push-model.ts';

/** Synchronous predictions: JSON, the binary extension, datatypes, large bodies, metadata, versions. */
export function describePredict(start: StartPlatform): void {
  let running: PlatformUnderTest;
  let caller: ApiClient;

  beforeAll(async () => {
    running = await start({ models: ['ticket-sentiment', 'row-sum', 'encoder-l6', echoAll(), echoText()] });
    // A second version of row-sum with another answer; the first stays stable.
    await running.push(withManifest(constantAnswer(7), { name: 'row-sum' }));
    caller = await running.addTenant('acme');
  });

  afterAll(() => running.end());

  describe('a sample model answers', () => {
    test('ticket-sentiment: text in, a label and its probabilities out', async () => {
      const inputs = texts('text', 'Thank you, the new export works perfectly!', 'This is terrible, nobody answers.');
      const answer = await caller.infer('ticket-sentiment', inputs);
      expect(answer.status).toBe(200);
      const { outputs, model_name, model_version } = inferResponseJson.parse(answer.json());
      expect({ model_name, model_version }).toEqual({ model_name: 'ticket-sentiment', model_version: '1' });
      expect(outputs[0]).toEqual({ name: 'label', shape: [2], datatype: 'BYTES', data: ['positive', 'negative'] });
      const probabilities = outputs[1]?.data as number[];
      expect(outputs[1]?.shape).toEqual([2, 3]);
      expect(probabilities.slice(0, 3).reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 5);
    });

    test('encoder-l6: tokens in, an embedding of length 1 out, the same alone as beside longer rows', async () => {
      const tokens = (...ids: number[]): JsonTensor[] => [
        { name: 'input_ids', shape: [1, ids.length], datatype: 'INT64', data: ids },
        { name: 'attention_mask', shape: [1, ids.length], datatype: 'INT64', data: ids.map(() => 1) },
      ];
      const alone = firstOutput(await caller.infer('encoder-l6', tokens(5, 6, 7))) as number[];
      expect(alone).toHaveLength(384);
      expect(Math.hypot(...alone)).toBeCloseTo(1, 4);
      const among = await Promise.all([
        ...Array.from({ length: 8 }, (_, i) => caller.infer('encoder-l6', tokens(9, 8, 7, i))),
        caller.infer('encoder-l6', tokens(5, 6, 7)),
      ]);
      const beside = firstOutput(among[8]!) as number[];
      expect(Math.max(...beside.map((value, i) => Math.abs(value - alone[i]!)))).toBeLessThan(1e-5);
    });

    test('every answer says which version and region made it, and for which request', async () => {
      const answer = await caller.infer('row-sum', fourOf(1));
      expect(answer.header('sluice-model-version')).toBe('1');
      expect(answer.header('sluice-region')).toBe('us');
      expect(answer.header('sluice-cache')).toBe('none');
      expect(answer.header('sluice-request-id')).toMatch(/^\S+$/);
      expect(answer.header('ratelimit-policy')).toMatch(/^"requests";q=4000;w=2$/);
      expect(answer.header('ratelimit')).toMatch(/^"requests";r=[0-9]+;t=[0-9]+$/);
    });
  });

  describe('JSON', () => {
    test('data may be flat or nested as the shape', async () => {
      const nested: JsonTensor[] = [
        { name: 'x', shape: [2, 4], datatype: 'FP32', data: [[1, 2, 3, 4], [5, 6, 7, 8]] }, // biome-ignore format: as the shape
      ];
      const flat: JsonTensor[] = [{ name: 'x', shape: [2, 4], datatype: 'FP32', data: [1, 2, 3, 4, 5, 6, 7, 8] }];
      for (const inputs of [nested, flat]) {
        const { outputs } = (await caller.infer('row-sum', inputs)).json<InferJson>();
        expect(outputs).toEqual([{ name: 'sum', shape: [2, 1], datatype: 'FP32', data: [10, 26] }]);
      }
    });

    test('the id is echoed; without one the answer has an id of its own', async () => {
      const named = await caller.infer('row-sum', fourOf(1), { members: { id: 'order-42 ☂' } });
      expect(named.json<InferJson>().id).toBe('order-42 ☂');
      const unnamed = await caller.infer('row-sum', fourOf(1));
      expect(unnamed.json<InferJson>().id).toMatch(/^pred_[0-9a-f]{32}$/);
    });

    test('only requested outputs come, in the order they were asked for', async () => {
      const ask = (...names: string[]) => ({ members: { outputs: names.map((name) => ({ name })) } });
      const inputs = texts('text', 'fine');
      const namesOf = (answer: Answer) => answer.json<InferJson>().outputs.map(({ name }) => name);
      expect(namesOf(await caller.infer('ticket-sentiment', inputs))).toEqual(['label', 'probabilities']);
      expect(namesOf(await caller.infer('ticket-sentiment', inputs, ask('probabilities')))).toEqual(['probabilities']);
      expect(namesOf(await caller.infer('ticket-sentiment', inputs, ask('probabilities', 'label')))).toEqual([
        'probabilities',
        'label',
      ]);
    });

    test('a body without a Content-Type is read as JSON', async () => {
      const body = new TextEncoder().encode(JSON.stringify({ inputs: fourOf(2) }));
      const answer = await caller.send('POST', inferPath('row-sum'), { body });
      expect(firstOutput(answer)).toEqual([8]);
    });

    test('KServe clients repeat the model name and send null for what they leave out', async () => {
      const members = { model_name: 'row-sum', id: null, parameters: null, outputs: null };
      expect(firstOutput(await caller.infer('row-sum', fourOf(1), { members }))).toEqual([4]);
    });
  });

  /** The least and greatest of each datatype, as JSON spells them. */
  const EXTREMES: Readonly<Record<EchoDatatype, readonly [unknown, unknown]>> = {
    BOOL: [false, true],
    UINT8: [0, 255],
    UINT16: [0, 65_535],
    UINT32: [0, 4_294_967_295],
    UINT64: [0, '18446744073709551615'],
    INT8: [-128, 127],
    INT16: [-32_768, 32_767],
    INT32: [-2_147_483_648, 2_147_483_647],
    INT64: ['-9223372036854775808', '9223372036854775807'],
    FP32: [Math.fround(-3.4e38), 2 ** -149],
    FP64: [-Number.MAX_VALUE, Number.MIN_VALUE],
    BYTES: ['', 'ünïcödé 🎉 \u{10FFFF}'],
  };

  function allInputs(data: (datatype: EchoDatatype) => readonly unknown[]): JsonTensor[] {
    return ECHO_DATATYPES.map((datatype) => ({
      name: `in_${datatype}`,
      shape: [1, 2],
      datatype,
      data: data(datatype),
    }));
  }

  describe('datatypes', () => {
    test('the extremes of every datatype come back unchanged in JSON', async () => {
      const answer = await caller.infer(
        'echo-all',
        allInputs((datatype) => EXTREMES[datatype]),
      );
      expect(answer.status).toBe(200);
      const byName = new Map(answer.json<InferJson>().outputs.map((output) => [output.name, output]));
      for (const datatype of ECHO_DATATYPES) {
        expect(byName.get(`out_${datatype}`)).toEqual({
          name: `out_${datatype}`,
          shape: [1, 2],
          datatype,
          data: EXTREMES[datatype],
        });
      }
      // FP16 has no number as large as the first, and none as small as the second.
      expect(byName.get('half')).toEqual({ name: 'half', shape: [1, 2], datatype: 'FP16', data: [null, 0] });
    });

    test('NaN is null in JSON, in and out, where the manifest takes it', async () => {
      const inputs = allInputs((datatype) => (datatype.startsWith('FP') ? [null, 1.5] : EXTREMES[datatype]));
      const members = { outputs: [{ name: 'out_FP32' }, { name: 'out_FP64' }, { name: 'half' }] };
      const { outputs } = (await caller.infer('echo-all', inputs, { members })).json<InferJson>();
      expect(outputs.map(({ data }) => data)).toEqual([
        [null, 1.5],
        [null, 1.5],
        [null, 1.5],
      ]);
    });
  });

  /** A body of the binary extension: inputs with bytes go after the JSON. */
  function binaryBody(inputs: readonly (JsonTensor & { bytes?: Uint8Array })[], members: object = {}) {
    const described = inputs.map(({ bytes, data, ...rest }) =>
      bytes === undefined ? { ...rest, data } : { ...rest, parameters: { binary_data_size: bytes.length } },
    );
    const json = new TextEncoder().encode(JSON.stringify({ inputs: described, ...members }));
    const body = Buffer.concat([json, ...inputs.flatMap(({ bytes }) => (bytes === undefined ? [] : [bytes]))]);
    return { body, headers: { 'Inference-Header-Content-Length': String(json.length) } };
  }

  function readBinary(answer: Answer): { json: InferJson; parts: Map<string, Buffer> } {
    const length = Number(answer.header('inference-header-content-length'));
    const json = JSON.parse(Buffer.from(answer.bytes.subarray(0, length)).toString()) as InferJson;
    const parts = new Map<string, Buffer>();
    let at = length;
    for (const { name, parameters } of json.outputs) {
      const size = parameters?.binary_data_size as number | undefined;
      if (size === undefined) continue;
      parts.set(name, Buffer.from(answer.bytes.subarray(at, at + size)));
      at += size;
    }
    expect(at).toBe(answer.bytes.length);
    return { json, parts };
  }

  const BYTES_OF: Readonly<Record<EchoDatatype, Uint8Array>> = {
    BOOL: Uint8Array.of(0, 1),
    UINT8: Uint8Array.of(0, 255),
    UINT16: new Uint8Array(Uint16Array.of(1, 65_535).buffer),
    UINT32: new Uint8Array(Uint32Array.of(1, 0xffff_ffff).buffer),
    UINT64: new Uint8Array(BigUint64Array.of(1n, 2n ** 64n - 1n).buffer),
    INT8: Uint8Array.of(0x80, 0x7f),
    INT16: new Uint8Array(Int16Array.of(-32_768, 32_767).buffer),
    INT32: new Uint8Array(Int32Array.of(-(2 ** 31), 2 ** 31 - 1).buffer),
    INT64: new Uint8Array(BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n).buffer),
    FP32: new Uint8Array(Float32Array.of(Number.NaN, Number.NEGATIVE_INFINITY).buffer),
    FP64: new Uint8Array(Float64Array.of(Number.NaN, -0).buffer),
    BYTES: Buffer.from('\x03\0\0\0abc\x04\0\0\0\u{1F389}', 'utf8'),
  };

  describe('the binary tensor extension', () => {
    test('every bit of every datatype goes in and comes out unchanged', async () => {
      const inputs = allInputs(() => []).map(({ data: _, ...input }) => ({
        ...input,
        bytes: BYTES_OF[input.datatype as EchoDatatype],
      }));
      const call = binaryBody(inputs, { parameters: { binary_data_output: true } });
      const answer = await caller.send('POST', inferPath('echo-all'), call);
      expect(answer.status).toBe(200);
      expect(answer.header('content-type')).toBe('application/octet-stream');
      const { parts } = readBinary(answer);
      for (const datatype of ECHO_DATATYPES) {
        expect([...parts.get(`out_${datatype}`)!], datatype).toEqual([...BYTES_OF[datatype]]);
      }
      expect(parts.get('half')!.readUInt16LE(2)).toBe(0xfc00);
    });

    test('JSON and binary tensors mix, in requests and in answers', async () => {
      const inputs = texts('text', 'thanks', 'no').map((input) => ({
        ...input,
        bytes: Buffer.from('\x06\0\0\0thanks\x02\0\0\0no'),
      }));
      const outputs = [{ name: 'label' }, { name: 'probabilities', parameters: { binary_data: true } }];
      const answer = await caller.send('POST', inferPath('ticket-sentiment'), binaryBody(inputs, { outputs, id: 'b' }));
      const { json, parts } = readBinary(answer);
      expect(json.id).toBe('b');
      expect(json.outputs[0]?.data).toHaveLength(2);
      expect(parts.get('probabilities')).toHaveLength(2 * 3 * 4);
    });

    test('the header counts in any case, and a JSON-only body may carry it', async () => {
      const body = Buffer.from(JSON.stringify({ inputs: fourOf(3) }));
      const headers = { 'inference-HEADER-content-length': String(body.length) };
      expect(firstOutput(await caller.send('POST', inferPath('row-sum'), { body, headers }))).toEqual([12]);
    });
  });

  describe('a body of almost 4 MiB', () => {
    // 250 rows of 5,000 characters of three bytes.
    const said = Array.from({ length: 250 }, (_, row) => `${row} ${'\u2602'.repeat(5000)}`);

    test('goes through and comes back whole', async () => {
      const answer = await caller.infer('echo-text', texts('text', ...said));
      expect(answer.status).toBe(200);
      expect(answer.bytes.length).toBeGreaterThan(3_750_000);
      expect(firstOutput(answer)).toEqual(said);
    });

    test('is kept and given later, too', async () => {
      const accepted = await caller.infer('echo-text', texts('text', ...said), {
        headers: { prefer: 'respond-async' },
      });
      expect(accepted.status).toBe(202);
      expect(firstOutput(await caller.result(accepted.header('location')!))).toEqual(said);
    });
  });

  describe('metadata, health and readiness', () => {
    test('the server says what it is, whether it lives and whether it can predict, to anyone', async () => {
      const anyone = running.client(undefined);
      const metadata = serverMetadataJson.parse((await anyone.get('/v2')).json());
      expect(metadata).toMatchObject({ name: 'sluice', extensions: ['binary_tensor_data'] });
      expect((await anyone.get('/v2/health/live')).json()).toEqual({ live: true });
      expect((await anyone.get('/v2/health/ready')).json()).toEqual({ ready: true });
    });

    test('a model says what its graph takes and gives', async () => {
      const metadata = modelMetadataJson.parse((await caller.get('/v2/models/encoder-l6')).json());
      expect(metadata).toEqual({
        name: 'encoder-l6',
        versions: ['1'],
        platform: 'onnx_onnxv1',
        inputs: [
          { name: 'input_ids', datatype: 'INT64', shape: [-1, -1] },
          { name: 'attention_mask', datatype: 'INT64', shape: [-1, -1] },
        ],
        outputs: [{ name: 'embedding', datatype: 'FP32', shape: [-1, 384] }],
      });
      expect(modelReadyJson.parse((await caller.get('/v2/models/encoder-l6/ready')).json()).ready).toBe(true);
    });

    test('a caller sees the models that it may call', async () => {
      const { models } = modelListJson.parse((await caller.get('/v2/models')).json());
      expect(models.map(({ name }) => name)).toEqual([
        'echo-all',
        'echo-text',
        'encoder-l6',
        'row-sum',
        'ticket-sentiment',
      ]);
      const scoped = await running.addKey('acme', { models: ['row-sum'] });
      const seen = modelListJson.parse((await scoped.get('/v2/models')).json());
      expect(seen.models.map(({ name }) => name)).toEqual(['row-sum']);
      expectProblem(await scoped.get('/v2/models/encoder-l6'), 'model-unknown');
    });

    test('HEAD answers as GET does, without a body', async () => {
      const answer = await caller.send('HEAD', '/v2/models/row-sum');
      expect({ status: answer.status, bytes: answer.bytes.length }).toEqual({ status: 200, bytes: 0 });
    });
  });

  describe('versions', () => {
    test('the stable version answers who names none, the named one who does', async () => {
      expect(firstOutput(await caller.infer('row-sum', fourOf(1)))).toEqual([4]);
      expect(firstOutput(await caller.infer('row-sum', fourOf(1), { version: '1' }))).toEqual([4]);
      const second = await caller.infer('row-sum', fourOf(1), { version: '2' });
      expect(firstOutput(second)).toEqual([7]);
      expect(second.header('sluice-model-version')).toBe('2');
      expect(second.json<InferJson>().model_version).toBe('2');
    });

    test('metadata and readiness of a version, and none of one that is not there', async () => {
      const metadata = modelMetadataJson.parse((await caller.get('/v2/models/row-sum/versions/2')).json());
      expect(metadata.versions).toEqual(['2']);
      expect((await caller.get('/v2/models/row-sum/versions/2/ready')).json()).toEqual({
        name: 'row-sum',
        ready: true,
      });
      for (const path of ['', '/ready']) {
        expectProblem(await caller.get(`/v2/models/row-sum/versions/3${path}`), 'version-unknown', {
          field: 'version',
        });
      }
      expectProblem(await caller.infer('row-sum', fourOf(1), { version: '99' }), 'version-unknown');
    });
  });

  test('the request schema of OpenAPI describes what these tests send', () => {
    expect(() => inferRequestJson.parse({ id: 'x', inputs: fourOf(1), outputs: [{ name: 'sum' }] })).not.toThrow();
  });

  test('/openapi.json is there for anyone and describes this server', async () => {
    const document = (await running.client(undefined).get('/openapi.json')).json();
    expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'Sluice' } });
  });
}
