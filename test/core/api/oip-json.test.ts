import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeElements } from '../../../core/api/encode-elements.ts';
import { decodeInferJson, decodeTensor, encodeInferJson } from '../../../core/api/oip-json.ts';
import { Failure, type FailureCode } from '../../../core/failure.ts';
import { DATATYPES, type Tensor } from '../../../core/inference/tensor.ts';
import { expectFailure, failureOf } from '../../support/failures.ts';
import { anyTensor } from '../../support/tensors.ts';

function tensor(datatype: string, shape: unknown, data: unknown) {
  return { name: 'x', shape, datatype, data };
}

function decoded(datatype: string, shape: unknown, data: unknown) {
  return decodeTensor(tensor(datatype, shape, data), 'inputs[0]');
}

function refusedElement(datatype: string, value: unknown, code: FailureCode = 'element-invalid') {
  const good = { BOOL: true, BYTES: 'a' }[datatype] ?? 1;
  expectFailure(() => decoded(datatype, [3], [good, value, good]), code, { field: 'inputs[0].data', index: 1 });
}

describe('elements of a tensor', () => {
  it('become the typed array of their datatype', () => {
    expect(decoded('BOOL', [2], [true, false]).data).toEqual(Uint8Array.of(1, 0));
    expect(decoded('UINT8', [2], [0, 255]).data).toEqual(Uint8Array.of(0, 255));
    expect(decoded('INT16', [2], [-32768, 32767]).data).toEqual(Int16Array.of(-32768, 32767));
    expect(decoded('UINT32', [1], [4294967295]).data).toEqual(Uint32Array.of(4294967295));
    expect(decoded('INT64', [2], [-1, 9007199254740991]).data).toEqual(BigInt64Array.of(-1n, 9007199254740991n));
    expect(decoded('FP16', [2], [1, -2]).data).toEqual(Uint16Array.of(0x3c00, 0xc000));
    expect(decoded('FP32', [2], [0.5, 3]).data).toEqual(Float32Array.of(0.5, 3));
    expect(decoded('FP64', [1], [0.1]).data).toEqual(Float64Array.of(0.1));
    expect(decoded('BYTES', [2], ['Grüße', '😀']).data).toEqual(['Grüße', '😀']);
  });

  it('are read the same flat and nested', () => {
    const flat = decoded('INT32', [2, 3, 1], [1, 2, 3, 4, 5, 6]);
    expect(
      decoded(
        'INT32',
        [2, 3, 1],
        [
          [[1], [2], [3]],
          [[4], [5], [6]],
        ],
      ),
    ).toEqual(flat);
    expect(decoded('BYTES', [2, 1], [['a'], ['b']]).data).toEqual(['a', 'b']);
    expect(decoded('FP32', [2, 0], [[], []]).data).toEqual(new Float32Array(0));
    expect(decoded('FP32', [0, 3], []).data).toEqual(new Float32Array(0));
    expect(decoded('FP32', [], [7]).data).toEqual(Float32Array.of(7));
  });

  it('are read the same flat and nested whatever the shape', () => {
    fc.assert(
      fc.property(anyTensor(), (tensor) => {
        const flat: readonly unknown[] = JSON.parse(JSON.stringify(encodeElements(tensor)));
        const nested = nest(flat, tensor.shape);
        expect(decoded(tensor.datatype, tensor.shape, nested)).toEqual(decoded(tensor.datatype, tensor.shape, flat));
      }),
    );
  });

  it('of 64 bits are exact as decimal strings', () => {
    expect(decoded('INT64', [2], ['-9223372036854775808', '9223372036854775807']).data).toEqual(
      BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n),
    );
    expect(decoded('UINT64', [1], ['18446744073709551615']).data).toEqual(BigUint64Array.of(2n ** 64n - 1n));
  });

  it('are null for NaN in floating datatypes alone', () => {
    expect(decoded('FP32', [1], [null]).data).toEqual(Float32Array.of(Number.NaN));
    expect(decoded('FP16', [1], [null]).data).toEqual(Uint16Array.of(0x7e00));
    refusedElement('INT32', null);
    refusedElement('BOOL', null);
    refusedElement('BYTES', null);
  });

  it.each([
    ['BOOL', [1, 0, 'true', null]],
    ['UINT8', [-1, 256, 1.5, '1', true, [1]]],
    ['INT8', [-129, 128]],
    ['UINT16', [-1, 65536]],
    ['INT16', [-32769, 32768]],
    ['UINT32', [-1, 4294967296]],
    ['INT32', [-2147483649, 2147483648, 1e300]],
    ['UINT64', [-1, '-1', '18446744073709551616', 9007199254740992, '0x1', '1.0', ' 1', '']],
    ['INT64', [9007199254740992, -9007199254740992, 1.5, '9223372036854775808', '1e3', {}, 'NaN']],
    ['FP16', [65520, -65520, 'NaN']],
    ['FP32', [3.4028235677973366e38, 1e39, -1e39, 'NaN', '1', true, {}]],
    ['FP64', [Number.POSITIVE_INFINITY, 'Infinity', []]],
    ['BYTES', [1, true, ['a'], {}]],
  ])('that %s cannot hold are refused with their index', (datatype, values) => {
    for (const value of values) refusedElement(datatype, value);
  });

  it('round to the nearest number that fits, up to the largest', () => {
    expect(decoded('FP32', [1], [3.4028235677973362e38]).data).toEqual(Float32Array.of(3.4028234663852886e38));
    expect(decoded('FP16', [1], [65519]).data).toEqual(Uint16Array.of(0x7bff));
  });

  it('that are text which onnxruntime would not see as it is are refused', () => {
    refusedElement('BYTES', 'a\0b', 'text-invalid');
    refusedElement('BYTES', '\ud800', 'text-invalid');
    refusedElement('BYTES', 'x\udc00', 'text-invalid');
  });

  it('must be as many as the shape says', () => {
    expectFailure(() => decoded('FP32', [2, 2], [1, 2, 3]), 'element-count-mismatch', { expected: 4, got: 3 });
    expectFailure(() => decoded('FP32', [2, 2], [[1, 2], [3]]), 'element-count-mismatch', {
      expected: 2,
      got: 1,
      level: 1,
    });
    expectFailure(() => decoded('FP32', [2, 2], [[1, 2]]), 'element-count-mismatch', { level: 0 });
    expectFailure(() => decoded('FP32', [2, 1], [[1], 2]), 'shape-mismatch', { level: 1 });
    expectFailure(() => decoded('FP32', [1], []), 'element-count-mismatch');
    expectFailure(() => decoded('FP32', [], []), 'element-count-mismatch');
  });

  it('take no memory for a shape that they do not fill', () => {
    expectFailure(() => decoded('FP64', [2 ** 31, 1], [[1]]), 'element-count-mismatch');
    expectFailure(() => decoded('FP64', [2 ** 52, 2 ** 52], [1]), 'element-count-mismatch');
  });

  it('that nest too deep are refused, however deep', () => {
    const deep = JSON.parse(`${'['.repeat(1000)}1${']'.repeat(1000)}`);
    expectFailure(() => decoded('FP32', [1, 1], deep), 'json-too-deep');
    expectFailure(() => decodeInferJson(`{"inputs":${'['.repeat(100_000)}${']'.repeat(100_000)}}`), 'json-too-deep');
    expectFailure(() => decodeInferJson('['.repeat(2_000_000)), 'json-too-deep');
    expectFailure(() => decodeInferJson(`{"nowhere":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`), 'json-too-deep');
  });

  it('may hold any number of brackets inside text', () => {
    const text = '\\"[{'.repeat(3000);
    const body = JSON.stringify({ inputs: [tensor('BYTES', [2], [text, `${text}\\`])] });
    expect(decodeInferJson(body).inputs[0]?.data).toEqual([text, `${text}\\`]);
  });
});

describe('an infer request', () => {
  const x = tensor('FP32', [1], [1]);
  const send = (body: object) => decodeInferJson(JSON.stringify(body));

  it('is decoded with id, outputs and parameters', () => {
    const request = send({
      id: '42',
      model_name: 'm',
      parameters: { timeout_ms: 500, binary_data_output: true, content_type: 'np' },
      inputs: [x, { ...tensor('BYTES', [1], ['hi']), name: 'y', parameters: { content_type: 'str' } }],
      outputs: [{ name: 'a' }, { name: 'b', parameters: { binary_data: false } }],
    });
    expect(request).toEqual({
      clientId: '42',
      inputs: [
        { name: 'x', datatype: 'FP32', shape: [1], data: Float32Array.of(1) },
        { name: 'y', datatype: 'BYTES', shape: [1], data: ['hi'] },
      ],
      outputs: [
        { name: 'a', binary: true },
        { name: 'b', binary: false },
      ],
      binaryByDefault: true,
      timeoutMs: 500,
    });
  });

  it('may leave out or null what is optional', () => {
    const bare = {
      clientId: undefined,
      outputs: undefined,
      binaryByDefault: false,
      timeoutMs: undefined,
    };
    expect(send({ inputs: [x] })).toMatchObject(bare);
    expect(send({ inputs: [{ ...x, parameters: null }], id: null, outputs: null, parameters: null })).toMatchObject(
      bare,
    );
    expect(send({ inputs: [x], outputs: [] })).toMatchObject(bare);
  });

  it.each([
    ['surprise', { inputs: [x], surprise: 1 }],
    ['constructor', { inputs: [x], constructor: {} }],
    ['inputs[0].extra', { inputs: [{ ...x, extra: 1 }] }],
    ['inputs[0].parameters.shared_memory_region', { inputs: [{ ...x, parameters: { shared_memory_region: 'r' } }] }],
    ['parameters.priority', { inputs: [x], parameters: { priority: 1 } }],
    ['outputs[0].shape', { inputs: [x], outputs: [{ name: 'a', shape: [1] }] }],
    [
      'outputs[0].parameters.classification',
      { inputs: [x], outputs: [{ name: 'a', parameters: { classification: 3 } }] },
    ],
  ])('with the unknown field %s is refused', (field, body) => {
    expectFailure(() => send(body), 'field-unknown', { field });
  });

  it('cannot pollute prototypes', () => {
    for (const body of [
      '{"__proto__":{"inputs":[]}}',
      '{"inputs":[{"__proto__":{"name":"x","shape":[1],"datatype":"FP32","data":[1]}}]}',
      '{"inputs":[],"parameters":{"__proto__":{"timeout_ms":1}}}',
    ]) {
      expectFailure(() => decodeInferJson(body), 'field-unknown');
    }
    expect(Object.hasOwn(Object.prototype, 'inputs')).toBe(false);
  });

  it.each<[FailureCode, string, object]>([
    ['request-invalid', 'inputs', {}],
    ['request-invalid', 'inputs', { inputs: {} }],
    ['request-invalid', 'inputs[0]', { inputs: [7] }],
    ['request-invalid', 'inputs[1].name', { inputs: [x, x] }],
    ['request-invalid', 'inputs[0].name', { inputs: [{ ...x, name: 3 }] }],
    ['request-invalid', 'inputs[0].shape', { inputs: [{ ...x, shape: [-1] }] }],
    ['request-invalid', 'inputs[0].shape', { inputs: [{ ...x, shape: [1.5] }] }],
    ['request-invalid', 'inputs[0].shape', { inputs: [{ ...x, shape: ['1'] }] }],
    ['request-invalid', 'inputs[0].shape', { inputs: [{ ...x, shape: Array(17).fill(1) }] }],
    ['request-invalid', 'inputs[0].shape', { inputs: [{ ...x, shape: 1 }] }],
    ['datatype-unsupported', 'inputs[0].datatype', { inputs: [{ ...x, datatype: 'BF16' }] }],
    ['datatype-unsupported', 'inputs[0].datatype', { inputs: [{ ...x, datatype: 'toString' }] }],
    ['request-invalid', 'inputs[0].datatype', { inputs: [{ ...x, datatype: null }] }],
    ['request-invalid', 'inputs[0].data', { inputs: [{ ...x, data: undefined }] }],
    ['request-invalid', 'inputs[0].data', { inputs: [{ ...x, data: 'text' }] }],
    ['request-invalid', 'inputs[0].parameters', { inputs: [{ ...x, parameters: [] }] }],
    [
      'request-invalid',
      'inputs[0].parameters.content_type',
      { inputs: [{ ...x, parameters: { content_type: 'base64' } }] },
    ],
    [
      'binary-length-invalid',
      'inputs[0].parameters.binary_data_size',
      { inputs: [{ ...x, parameters: { binary_data_size: 4 } }] },
    ],
    ['request-invalid', 'outputs[1].name', { inputs: [x], outputs: [{ name: 'a' }, { name: 'a' }] }],
    [
      'request-invalid',
      'outputs[0].parameters.binary_data',
      { inputs: [x], outputs: [{ name: 'a', parameters: { binary_data: 1 } }] },
    ],
    ['request-invalid', 'parameters.timeout_ms', { inputs: [x], parameters: { timeout_ms: 0 } }],
    ['request-invalid', 'parameters.timeout_ms', { inputs: [x], parameters: { timeout_ms: '5' } }],
    ['request-invalid', 'id', { inputs: [x], id: 5 }],
    ['request-invalid', 'id', { inputs: [x], id: 'x'.repeat(257) }],
    ['text-invalid', 'id', { inputs: [x], id: 'a\0' }],
  ])('is refused with %s at %s', (code, field, body) => {
    expectFailure(() => send(body), code, { field });
  });

  it('must name the model of the path if it names one', () => {
    const body = JSON.stringify({ inputs: [x], model_name: 'a' });
    expect(decodeInferJson(body, 'a').inputs).toHaveLength(1);
    expectFailure(() => decodeInferJson(body, 'b'), 'request-invalid', { field: 'model_name' });
  });

  it('that is no JSON is refused without quoting it', () => {
    const failure = failureOf(() => decodeInferJson('{"inputs":[{"name":"secret-marker",}]}'));
    expect(failure.code).toBe('json-invalid');
    expect(JSON.stringify(failure.facts) + failure.message + failure.stack + String(failure.cause)).not.toContain(
      'secret',
    );
    for (const text of ['', ' ', 'NaN', '{"inputs":[}', '{"inputs":[{"data":[NaN]}]}', '{"a":1}{']) {
      expectFailure(() => decodeInferJson(text), 'json-invalid');
    }
    for (const text of ['null', '1', '"x"', '[]', 'true']) {
      expectFailure(() => decodeInferJson(text), 'request-invalid', { field: 'body' });
    }
  });

  it('of any shape gives a request or a failure, never another exception', () => {
    const anything = fc.jsonValue({ maxDepth: 6 });
    const near = fc.record(
      {
        id: fc.oneof(fc.string(), anything),
        parameters: fc.oneof(
          fc.dictionary(fc.constantFrom('timeout_ms', 'binary_data_output', 'x'), anything),
          anything,
        ),
        inputs: fc.oneof(
          fc.array(
            fc.record(
              {
                name: fc.oneof(fc.constantFrom('a', 'b'), anything),
                shape: fc.oneof(fc.array(fc.integer({ min: -1, max: 3 }), { maxLength: 3 }), anything),
                datatype: fc.oneof(fc.constantFrom(...DATATYPES), anything),
                data: fc.oneof(fc.array(fc.oneof(fc.integer(), fc.double(), fc.boolean(), fc.string())), anything),
                parameters: fc.oneof(fc.dictionary(fc.constantFrom('binary_data_size', 'y'), anything), anything),
              },
              { requiredKeys: [] },
            ),
          ),
          anything,
        ),
        outputs: fc.oneof(
          fc.array(fc.record({ name: anything, parameters: anything }, { requiredKeys: ['name'] })),
          anything,
        ),
      },
      { requiredKeys: ['inputs'] },
    );
    let accepted = 0;
    const check = (text: string) => {
      try {
        for (const input of decodeInferJson(text).inputs) {
          expect(input.data).toHaveLength(input.shape.reduce((product, dimension) => product * dimension, 1));
        }
        accepted += 1;
      } catch (error) {
        expect(error).toBeInstanceOf(Failure);
      }
    };
    fc.assert(
      fc.property(fc.oneof(near, anything), (body) => check(JSON.stringify(body))),
      // Few random bodies are requests: one that surely is shows that the check above sees accepted ones.
      { numRuns: 2000, examples: [[{ inputs: [{ name: 'a', shape: [2], datatype: 'FP32', data: [1, 2] }] }]] },
    );
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'{}[]",:\\0-.einputs ') }), check), { numRuns: 1000 });
    expect(accepted).toBeGreaterThan(0);
  });
});

describe('an infer response', () => {
  const answer = (outputs: Tensor[]) => ({ model: 'm', version: '3', id: 'pred_1', outputs });

  it('is what the protocol says', () => {
    const text = encodeInferJson(
      answer([
        { name: 'label', datatype: 'INT64', shape: [2], data: BigInt64Array.of(-1n, 2n ** 60n) },
        { name: 'ok', datatype: 'BOOL', shape: [2], data: Uint8Array.of(1, 0) },
      ]),
    );
    expect(JSON.parse(text)).toEqual({
      model_name: 'm',
      model_version: '3',
      id: 'pred_1',
      outputs: [
        { name: 'label', datatype: 'INT64', shape: [2], data: [-1, '1152921504606846976'] },
        { name: 'ok', datatype: 'BOOL', shape: [2], data: [true, false] },
      ],
    });
  });

  it('has null where a number is not finite, and stays JSON', () => {
    const data = Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1);
    const text = encodeInferJson(answer([{ name: 'y', datatype: 'FP32', shape: [4], data }]));
    expect(JSON.parse(text).outputs[0].data).toEqual([null, null, null, 1]);
  });

  it('writes probabilities in few digits', () => {
    const data = Float32Array.of(0.1, 0.9521666169166565, 123.456);
    const elements = encodeElements({ name: 'y', datatype: 'FP32', shape: [3], data });
    expect(elements).toEqual([0.1, 0.95216662, 123.45600128]);
    expect(Float32Array.from(elements as number[])).toEqual(data);
  });

  it('gives back every element of every datatype, -0 and infinities aside', () => {
    fc.assert(
      fc.property(anyTensor(), (tensor) => {
        const json = JSON.parse(encodeInferJson(answer([tensor]))).outputs[0];
        expect(normalised(decodeTensor(json, 'outputs[0]'))).toEqual(normalised(tensor));
      }),
      { numRuns: 1000 },
    );
  });
});

function nest(flat: readonly unknown[], shape: readonly number[]): unknown[] {
  const [size = 0, ...inner] = shape;
  if (inner.length === 0) return [...flat];
  const stride = flat.length / size;
  return Array.from({ length: size }, (_, i) => nest(flat.slice(i * stride, (i + 1) * stride), inner));
}

/** With -0 as 0 and infinities as NaN, which is what JSON makes of them. */
function normalised(tensor: Tensor): Tensor {
  if (!tensor.datatype.startsWith('FP')) return tensor;
  const bits = tensor.data as Uint16Array;
  const numbers: Iterable<number> =
    tensor.datatype === 'FP16' ? new Float16Array(bits.buffer, bits.byteOffset, bits.length) : bits;
  const data = Float64Array.from(numbers, (value) => (Number.isFinite(value) ? value + 0 : Number.NaN));
  return { ...tensor, data };
}
