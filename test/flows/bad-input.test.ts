import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { FailureCode } from '../../core/failure.ts';
import { MIB } from '../../core/units.ts';
import {
  Answer,
  type ApiClient,
  type Call,
  fourOf,
  inferPath,
  type JsonTensor,
  texts,
} from '../support/http-client.ts';
import { expectProblem } from '../support/problems.ts';
import { head, sendRaw } from '../support/raw-http.ts';
import { type RunningPlatform, startRunning } from '../support/running-platform.ts';

let running: RunningPlatform;
let acme: ApiClient;
let expired: ApiClient;
let operator: ApiClient;
let foreignKey: string;

/** What would be charged for: runs, reservations and rows. */
const charged: string[] = [];

beforeAll(async () => {
  running = await startRunning({
    regions: ['us', 'eu'],
    models: ['ticket-sentiment', 'row-sum', 'encoder-l6'],
    runners: 1,
  });
  acme = await running.addTenant('acme');
  const expiresAtMs = Date.now() + 1000;
  expired = await running.addKey('acme', { expiresAtMs });
  operator = await running.addKey(undefined);
  foreignKey = (await running.addTenant('globex', { region: 'eu' })).key!;
  const { limits, jobs } = running.region().platform;
  const lease = limits.lease.bind(limits);
  vi.spyOn(limits, 'lease').mockImplementation((...args) => {
    if (args[1] !== 'requests') charged.push(`lease ${args[1]}`);
    return lease(...args);
  });
  vi.spyOn(limits, 'reserve').mockImplementation(() => Promise.reject(new Error('reserved for a bad input')));
  vi.spyOn(jobs, 'begin').mockImplementation(() => Promise.reject(new Error('ran a bad input')));
  await vi.waitUntil(() => Date.now() > expiresAtMs);
});

afterAll(() => running.end());

type Case = readonly [name: string, send: () => Promise<Answer>, code: FailureCode, members?: object];

const ROW_SUM = inferPath('row-sum');
const post = (call: Call, path = ROW_SUM) => acme.send('POST', path, call);
const infer =
  (inputs: unknown, members: object = {}, model = 'row-sum') =>
  () =>
    acme.post(inferPath(model), { inputs, ...members });
/** row-sum's input with changes. */
const x = (changes: object) => infer([{ ...fourOf(1)[0], ...changes }]);
const tokens = (ids: readonly unknown[], shape: readonly number[] = [1, ids.length]): JsonTensor[] => [
  { name: 'input_ids', shape, datatype: 'INT64', data: ids },
  { name: 'attention_mask', shape, datatype: 'INT64', data: ids.map(() => 1) },
];
const encode = (ids: readonly unknown[], shape?: readonly number[]) => infer(tokens(ids, shape), {}, 'encoder-l6');
const say = (...said: string[]) => infer(texts('text', ...said), {}, 'ticket-sentiment');

function binary(json: object, tail: Uint8Array, headerLength?: string): () => Promise<Answer> {
  const text = Buffer.from(JSON.stringify(json));
  const headers = { 'Inference-Header-Content-Length': headerLength ?? String(text.length) };
  return () => post({ body: Buffer.concat([text, tail]), headers });
}

const sized = (binary_data_size: unknown, changes: object = {}) => ({
  inputs: [{ name: 'x', shape: [1, 4], datatype: 'FP32', parameters: { binary_data_size }, ...changes }],
});

async function raw(...parts: readonly (string | Uint8Array)[]): Promise<Answer> {
  const { status, headers, body } = await sendRaw(acme.url, parts);
  return new Answer(status ?? 0, new Headers([...headers]), Buffer.from(body));
}

const AUTHORIZED = () => [`POST ${ROW_SUM} HTTP/1.1`, 'Host: x', `Authorization: Bearer ${acme.key}`];

const CREDENTIALS: readonly Case[] = [
  ['none', () => running.client(undefined).post(ROW_SUM, {}), 'credentials-missing'],
  ['empty', () => running.client(undefined).post(ROW_SUM, {}, { authorization: '' }), 'credentials-missing'],
  ['wrong', () => running.client('hello').post(ROW_SUM, {}), 'credentials-invalid'],
  ['expired', () => running.client(expired.key).post(ROW_SUM, {}), 'credentials-expired'],
  [
    'tampered',
    () => running.client(acme.key!.replace(/.$/, (c) => (c === '0' ? '1' : '0'))).post(ROW_SUM, {}),
    'credentials-invalid',
  ],
  ['of another region', () => running.client(foreignKey).post(ROW_SUM, {}), 'wrong-region', { home_region: 'eu' }],
];

const UNKNOWN: readonly Case[] = [
  ['a tenant', () => operator.post(ROW_SUM, {}, { 'Sluice-Tenant': 'nobody' }), 'tenant-unknown', { field: 'tenant' }],
  ['a model', infer(fourOf(1), {}, 'no-such-model'), 'model-unknown', { field: 'model' }],
  ['a model that no model can be called', infer(fourOf(1), {}, 'No%20Such'), 'model-unknown'],
  [
    'a version',
    () => acme.post(inferPath('row-sum', '9'), { inputs: fourOf(1) }),
    'version-unknown',
    { field: 'version' },
  ],
  ['a version that is no number', () => acme.post(inferPath('row-sum', 'latest'), {}), 'version-unknown'],
  ['a prediction', () => acme.get(`/v2/predictions/pred_${'f'.repeat(32)}`), 'prediction-unknown', { field: 'id' }],
  ['a prediction by another name', () => acme.get('/v2/predictions/1'), 'prediction-unknown'],
  ['an endpoint', () => acme.get('/v2/nothing/here'), 'route-unknown'],
  ['a method', () => acme.send('DELETE', ROW_SUM), 'method-unsupported', { allow: ['POST', 'OPTIONS'] }],
  ['a field', infer(fourOf(1), { surprise: 1 }), 'field-unknown', { field: 'surprise' }],
  ['a field of an input', x({ precision: 'high' }), 'field-unknown', { field: 'inputs[0].precision' }],
  ['a parameter', infer(fourOf(1), { parameters: { priority: 1 } }), 'field-unknown', { field: 'parameters.priority' }],
  [
    'an input parameter',
    x({ parameters: { shared_memory_region: 'r' } }),
    'field-unknown',
    { field: 'inputs[0].parameters.shared_memory_region' },
  ],
  [
    'an output field',
    infer(fourOf(1), { outputs: [{ name: 'sum', shape: [1] }] }),
    'field-unknown',
    { field: 'outputs[0].shape' },
  ],
  ['an output', infer(fourOf(1), { outputs: [{ name: 'total' }] }), 'output-unknown', { field: 'outputs[0].name' }],
  ['an input', x({ name: 'y' }), 'input-unknown', { field: 'inputs[0].name' }],
  ['a datatype', x({ datatype: 'FLOAT' }), 'datatype-unsupported', { field: 'inputs[0].datatype' }],
];

const TENSORS: readonly Case[] = [
  ['no inputs', infer([]), 'input-missing', { field: 'inputs', missing: ['x'] }],
  ['inputs that are no list', infer({ x: 1 }), 'request-invalid', { field: 'inputs' }],
  ['one input twice', infer([...fourOf(1), ...fourOf(1)]), 'request-invalid', { field: 'inputs[1].name' }],
  [
    'one of two inputs',
    infer(tokens([1, 2]).slice(0, 1), {}, 'encoder-l6'),
    'input-missing',
    { missing: ['attention_mask'] },
  ],
  [
    'another datatype',
    x({ datatype: 'FP64' }),
    'datatype-mismatch',
    { field: 'inputs[0].datatype', expected: 'FP32', got: 'FP64' },
  ],
  ['another rank', x({ shape: [4] }), 'shape-mismatch', { field: 'inputs[0].shape', expected: '[-1,4]', got: '[4]' }],
  ['another fixed dimension', x({ shape: [1, 3], data: [1, 2, 3] }), 'shape-mismatch', { field: 'inputs[0].shape' }],
  ['no rows', x({ shape: [0, 4], data: [] }), 'shape-mismatch', { field: 'inputs[0].shape' }],
  ['a negative dimension', x({ shape: [-1, 4] }), 'request-invalid', { field: 'inputs[0].shape' }],
  ['a dimension beyond everything', x({ shape: [2 ** 53, 4] }), 'request-invalid', { field: 'inputs[0].shape' }],
  ['a shape that is no list', x({ shape: 4 }), 'request-invalid', { field: 'inputs[0].shape' }],
  [
    'too few elements',
    x({ data: [1, 2, 3] }),
    'element-count-mismatch',
    { field: 'inputs[0].data', expected: 4, got: 3 },
  ],
  ['too many elements', x({ data: [1, 2, 3, 4, 5] }), 'element-count-mismatch', { expected: 4, got: 5 }],
  [
    'a huge shape and little data',
    x({ shape: [1_000_000_000, 4] }),
    'element-count-mismatch',
    { field: 'inputs[0].data' },
  ],
  [
    'data nested unlike the shape',
    x({
      shape: [2, 4],
      data: [
        [1, 2, 3, 4],
        [5, 6],
      ],
    }),
    'element-count-mismatch',
    { level: 1 },
  ],
  ['text for a number', x({ data: [1, 2, 'three', 4] }), 'element-invalid', { field: 'inputs[0].data', index: 2 }],
  [
    'a number for a text',
    infer([{ ...texts('text', 'a')[0], data: [7] }], {}, 'ticket-sentiment'),
    'element-invalid',
    { index: 0 },
  ],
  ['a number too large for its datatype', x({ data: [1, 1e39, 3, 4] }), 'element-invalid', { index: 1 }],
  [
    'NaN where the model refuses it',
    x({ data: [1, 2, null, 4] }),
    'value-not-finite',
    { field: 'inputs[0].data', index: 2 },
  ],
  ['an id out of range', encode([1, 999_999]), 'value-out-of-range', { field: 'inputs[0].data', index: 1 }],
  ['a negative id', encode([-1]), 'value-out-of-range', { field: 'inputs[0].data', index: 0 }],
  ['an id that lost digits on the way', encode([2 ** 53]), 'element-invalid', { index: 0 }],
  [
    'inputs of different length',
    infer([tokens([1, 2])[0], tokens([1, 2, 3])[1]], {}, 'encoder-l6'),
    'shape-mismatch',
    { field: 'inputs[1].shape' },
  ],
  [
    'a sequence that is too long',
    encode(new Array<number>(600).fill(1)),
    'input-too-large',
    { field: 'inputs[0].shape' },
  ],
  ['too many rows', x({ shape: [1025, 4], data: new Array<number>(4100).fill(1) }), 'input-too-large', { limit: 1024 }],
  [
    'a text that is too long',
    say('ok', 'a'.repeat(4001)),
    'text-invalid',
    { field: 'inputs[0].data', index: 1, max_length: 4000 },
  ],
  ['an embedded NUL', say('before\0after'), 'text-invalid', { field: 'inputs[0].data', index: 0 }],
  ['half a surrogate pair', say('\ud800'), 'text-invalid', { index: 0 }],
  ['an id that is no text', infer(fourOf(1), { id: 7 }), 'request-invalid', { field: 'id' }],
  [
    'a timeout of zero',
    infer(fourOf(1), { parameters: { timeout_ms: 0 } }),
    'request-invalid',
    { field: 'parameters.timeout_ms' },
  ],
  [
    'the name of another model',
    infer(fourOf(1), { model_name: 'encoder-l6' }),
    'request-invalid',
    { field: 'model_name' },
  ],
];

const DEEP = `${'['.repeat(100_000)}1${']'.repeat(100_000)}`;

const BODIES: readonly Case[] = [
  ['none', () => post({}), 'json-invalid'],
  ['no JSON', () => post({ body: '{"inputs": [' }), 'json-invalid'],
  [
    'NaN as JavaScript spells it',
    () => post({ body: '{"inputs":[{"name":"x","shape":[1,1],"datatype":"FP32","data":[NaN]}]}' }),
    'json-invalid',
  ],
  ['not UTF-8', () => post({ body: Uint8Array.of(0x22, 0xff, 0xfe, 0x22) }), 'json-invalid'],
  ['UTF-16', () => post({ body: Buffer.from('{"inputs":[]}', 'utf16le') }), 'json-invalid'],
  ['a list', () => post({ body: '[]' }), 'request-invalid', { field: 'body' }],
  ['null', () => post({ body: 'null' }), 'request-invalid', { field: 'body' }],
  ['nested 100,000 deep', () => post({ body: DEEP }), 'json-too-deep'],
  ['data nested 20 deep', x({ shape: [1], data: JSON.parse(`${'['.repeat(20)}1${']'.repeat(20)}`) }), 'json-too-deep'],
  [
    'compressed',
    () => post({ body: 'x', headers: { 'content-encoding': 'gzip' } }),
    'content-encoding-unsupported',
    { field: 'Content-Encoding' },
  ],
  [
    'declared too long',
    () => raw(head(...AUTHORIZED(), `Content-Length: ${4 * MIB + 1}`)),
    'body-too-large',
    { limit_bytes: 4 * MIB },
  ],
  ['chunked and too long', chunkedTooLong, 'body-too-large', { limit_bytes: 4 * MIB }],
  [
    'binary without a number of bytes',
    binary(sized(16), new Uint8Array(16), 'many'),
    'binary-length-invalid',
    { field: 'Inference-Header-Content-Length' },
  ],
  [
    'a header longer than the body',
    binary(sized(16), new Uint8Array(16), '9999'),
    'binary-length-invalid',
    { field: 'Inference-Header-Content-Length' },
  ],
  ['a header that ends inside the JSON', binary(sized(16), new Uint8Array(16), '10'), 'json-invalid'],
  [
    'a tensor longer than the body',
    binary(sized(16), new Uint8Array(12)),
    'binary-length-invalid',
    { field: 'inputs[0].parameters.binary_data_size', received: 12 },
  ],
  [
    'a tensor shorter than its shape',
    binary(sized(12), new Uint8Array(12)),
    'binary-length-invalid',
    { expected: 16, received: 12 },
  ],
  ['bytes left over', binary(sized(16), new Uint8Array(17)), 'binary-length-invalid', { field: 'body' }],
  [
    'a size that is negative',
    binary(sized(-1), new Uint8Array(16)),
    'binary-length-invalid',
    { field: 'inputs[0].parameters.binary_data_size' },
  ],
  [
    'a binary tensor without its bytes',
    infer(sized(16).inputs),
    'binary-length-invalid',
    { field: 'inputs[0].parameters.binary_data_size' },
  ],
  ['a tensor both ways', binary(sized(16, { data: [1, 2, 3, 4] }), new Uint8Array(16)), 'binary-length-invalid'],
  [
    'a text longer than its tensor',
    binary(sized(6, { datatype: 'BYTES', shape: [1] }), Uint8Array.of(9, 0, 0, 0, 97, 98)),
    'binary-length-invalid',
  ],
  [
    'NaN in binary',
    binary(sized(16), new Uint8Array(Float32Array.of(1, Number.NaN, 3, 4).buffer)),
    'value-not-finite',
    { index: 1 },
  ],
];

const HEADERS: readonly Case[] = [
  ['too large', () => raw(head(...AUTHORIZED(), `X-Long: ${'a'.repeat(20_000)}`)), 'headers-too-large'],
  [
    'without Host',
    () => raw(head(`POST ${ROW_SUM} HTTP/1.1`, `Authorization: Bearer ${acme.key}`)),
    'header-invalid',
    { field: 'Host' },
  ],
  [
    'with an Idempotency-Key that is none',
    () => post({ body: { inputs: fourOf(1) }, headers: { 'idempotency-key': '"' } }),
    'header-invalid',
    { field: 'Idempotency-Key' },
  ],
  [
    'with an Expect that nobody can meet',
    () => raw(head(...AUTHORIZED(), 'Expect: miracles', 'Content-Length: 2'), '{}'),
    'header-invalid',
    { field: 'Expect' },
  ],
];

/** 5 MiB in chunks: nothing says beforehand how much will come. */
async function chunkedTooLong(): Promise<Answer> {
  const chunk = 'a'.repeat(64 * 1024);
  const framed = `${chunk.length.toString(16)}\r\n${chunk}\r\n`;
  return raw(head(...AUTHORIZED(), 'Transfer-Encoding: chunked'), ...new Array<string>(80).fill(framed));
}

const TABLE = {
  'credentials that are': CREDENTIALS,
  'an unknown': UNKNOWN,
  'a request with': TENSORS,
  'a body that is, or has': BODIES,
  headers: HEADERS,
};

for (const [what, cases] of Object.entries(TABLE)) {
  describe(what, () => {
    for (const [name, send, code, members = {}] of cases) {
      test(name, async () => {
        const startedMs = performance.now();
        const answer = await send();
        const tookMs = performance.now() - startedMs;
        expectProblem(answer, code, members);
        expect(tookMs).toBeLessThan(1500);
      });
    }
  });
}

describe('after all of it', () => {
  test('nothing was run, reserved or counted but the requests themselves', async () => {
    expect(charged).toEqual([]);
    const { limits, jobs } = running.region().platform;
    expect(limits.reserve).not.toHaveBeenCalled();
    expect(jobs.begin).not.toHaveBeenCalled();
    const usage = (await acme.get('/control/v1/tenants/acme/usage')).json();
    expect(usage).toMatchObject({ compute_ms: 0, in_flight: 0 });
  });

  test('nothing broke, and no log line holds what was sent', () => {
    const log = running.logLines.join('');
    expect(log).not.toContain('"internal"');
    for (const sent of ['before', 'three', 'miracles', 'no-such-model']) expect(log).not.toContain(sent);
  });
});
