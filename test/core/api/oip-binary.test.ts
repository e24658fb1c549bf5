import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binaryOutputs, decodeInferBinary, encodeInferBinary } from '../../../core/api/oip-binary.ts';
import { Failure } from '../../../core/failure.ts';
import type { Tensor } from '../../../core/inference/tensor.ts';
import { expectFailure } from '../../support/failures.ts';
import { anyTensor } from '../../support/tensors.ts';

type Parts = { readonly header: object; readonly binary: readonly number[]; readonly headerLength?: string };

function send({ header, binary, headerLength }: Parts) {
  const json = Buffer.from(JSON.stringify(header));
  return decodeInferBinary(Buffer.concat([json, Uint8Array.from(binary)]), headerLength ?? String(json.length));
}

function input(datatype: string, shape: number[], sizeBytes: unknown, more: object = {}) {
  return { name: 'x', datatype, shape, parameters: { binary_data_size: sizeBytes }, ...more };
}

/** The request that would send what a response holds. */
function asRequest({ body, headerLength }: { body: Uint8Array; headerLength: number }) {
  const header = JSON.parse(Buffer.from(body.subarray(0, headerLength)).toString());
  const json = Buffer.from(JSON.stringify({ inputs: header.outputs }));
  return { body: Buffer.concat([json, body.subarray(headerLength)]), headerLength: String(json.length) };
}

const bits = (tensor: Tensor) => ({
  ...tensor,
  data: Array.isArray(tensor.data)
    ? tensor.data
    : Buffer.from(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength),
});

describe('the binary tensor extension', () => {
  it('reads little-endian elements in the order of the inputs', () => {
    const request = send({
      header: {
        id: '7',
        inputs: [
          input('INT32', [1, 2], 8),
          { name: 'j', datatype: 'FP32', shape: [1], data: [0.5] },
          { ...input('BYTES', [2], 11), name: 'b' },
          { ...input('BOOL', [2], 2), name: 'o' },
        ],
      },
      binary: [1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0x68, 0x69, 1, 0, 0, 0, 0x21, 1, 0],
    });
    expect(request.clientId).toBe('7');
    expect(request.inputs.map((tensor) => tensor.data)).toEqual([
      Int32Array.of(1, -1),
      Float32Array.of(0.5),
      ['hi', '!'],
      Uint8Array.of(1, 0),
    ]);
  });

  it('keeps every bit of every datatype, both ways', () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyTensor(), { selector: (tensor) => tensor.name, maxLength: 4 }), (outputs) => {
        const all = new Set(outputs.map((tensor) => tensor.name));
        const { body, headerLength } = asRequest(
          encodeInferBinary({ model: 'm', version: '1', id: 'i', outputs }, all),
        );
        expect(decodeInferBinary(body, headerLength).inputs.map(bits)).toEqual(outputs.map(bits));
      }),
      { numRuns: 500 },
    );
  });

  it('keeps nothing of the body alive and aligns what it copies', () => {
    const header = JSON.stringify({ inputs: [input('FP64', [1], 8)] });
    for (const padding of ['', ' ', '  ', '   ']) {
      const json = Buffer.from(header + padding);
      const body = Buffer.concat([json, Buffer.from(Float64Array.of(0.25).buffer)]);
      const data = decodeInferBinary(body, String(json.length)).inputs[0]?.data as Float64Array;
      body.fill(0);
      expect(data).toEqual(Float64Array.of(0.25));
      expect(data.buffer.byteLength).toBe(8);
    }
  });

  it.each<[string, Parts]>([
    ['no number in the header', { header: { inputs: [] }, binary: [], headerLength: 'x' }],
    ['a negative header length', { header: { inputs: [] }, binary: [], headerLength: '-1' }],
    ['no JSON at all', { header: { inputs: [] }, binary: [], headerLength: '0' }],
    ['a header longer than the body', { header: { inputs: [] }, binary: [], headerLength: '999' }],
    ['bytes that no input claims', { header: { inputs: [] }, binary: [1] }],
    ['an input that claims more than there is', { header: { inputs: [input('UINT8', [4], 4)] }, binary: [1, 2, 3] }],
    ['a size that does not fill the shape', { header: { inputs: [input('INT32', [2], 4)] }, binary: [1, 0, 0, 0] }],
    ['a size beyond the shape', { header: { inputs: [input('INT16', [1], 4)] }, binary: [1, 0, 0, 0] }],
    ['a shape that no body fills', { header: { inputs: [input('FP32', [2 ** 40], 4)] }, binary: [1, 0, 0, 0] }],
    ['a negative size', { header: { inputs: [input('UINT8', [0], -1)] }, binary: [] }],
    ['a fractional size', { header: { inputs: [input('UINT8', [1], 1.5)] }, binary: [1] }],
    ['a size as text', { header: { inputs: [input('UINT8', [1], '1')] }, binary: [1] }],
    ['data beside a size', { header: { inputs: [input('UINT8', [1], 1, { data: [1] })] }, binary: [1] }],
    ['a text longer than its tensor', { header: { inputs: [input('BYTES', [1], 5)] }, binary: [2, 0, 0, 0, 65] }],
    ['a text of 4 GiB', { header: { inputs: [input('BYTES', [1], 5)] }, binary: [255, 255, 255, 255, 65] }],
    ['fewer texts than the shape says', { header: { inputs: [input('BYTES', [2], 5)] }, binary: [1, 0, 0, 0, 65] }],
    ['half a length', { header: { inputs: [input('BYTES', [2], 8)] }, binary: [2, 0, 0, 0, 65, 66, 0, 0] }],
    ['more than the texts need', { header: { inputs: [input('BYTES', [1], 6)] }, binary: [1, 0, 0, 0, 65, 66] }],
    ['texts that no body holds', { header: { inputs: [input('BYTES', [2 ** 40], 4)] }, binary: [0, 0, 0, 0] }],
  ])('refuses %s as lengths that do not add up', (_, parts) => {
    expectFailure(() => send(parts), 'binary-length-invalid');
  });

  it('refuses elements that the datatype does not have', () => {
    const one = (datatype: string, binary: number[]) => () =>
      send({ header: { inputs: [input(datatype, [1], binary.length)] }, binary });
    expectFailure(one('BOOL', [2]), 'element-invalid', { field: 'inputs[0]', index: 0 });
    expectFailure(one('BYTES', [1, 0, 0, 0, 0]), 'text-invalid', { index: 0 });
    expectFailure(one('BYTES', [2, 0, 0, 0, 0xc3, 0x28]), 'text-invalid', { index: 0 });
    expectFailure(one('BYTES', [3, 0, 0, 0, 0xed, 0xa0, 0x80]), 'text-invalid', { index: 0 });
  });

  it('refuses a header that is no UTF-8', () => {
    expectFailure(() => decodeInferBinary(Uint8Array.of(0x22, 0xff, 0x22), '3'), 'json-invalid');
  });

  it('gives a request or a failure for any bytes', () => {
    const header = JSON.stringify({ inputs: [input('INT16', [2], 4), { ...input('BYTES', [1], 6), name: 'b' }] });
    const valid = Buffer.concat([Buffer.from(header), Uint8Array.of(1, 0, 2, 0, 2, 0, 0, 0, 65, 66)]);
    const edits = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 3 });
    fc.assert(
      fc.property(edits, fc.nat(valid.length), fc.integer({ min: -3, max: 3 }), (changes, length, shift) => {
        const body = Uint8Array.from(valid);
        for (const [at, value] of changes) body[at] = value;
        try {
          decodeInferBinary(body.subarray(0, length + 12), String(header.length + shift));
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('outputs that go back in binary', () => {
  const outputs = ['a', 'b'].map((name): Tensor => ({ name, datatype: 'UINT8', shape: [1], data: Uint8Array.of(9) }));

  it('are all by default or those that ask for it', () => {
    expect(binaryOutputs({ outputs: undefined, binaryByDefault: true }, outputs)).toEqual(new Set(['a', 'b']));
    expect(binaryOutputs({ outputs: undefined, binaryByDefault: false }, outputs)).toEqual(new Set());
    const asked = [
      { name: 'a', binary: false },
      { name: 'b', binary: true },
    ];
    expect(binaryOutputs({ outputs: asked, binaryByDefault: true }, outputs)).toEqual(new Set(['b']));
  });

  it('stand after the JSON, beside others in it', () => {
    const { body, headerLength } = encodeInferBinary({ model: 'm', version: '1', id: 'i', outputs }, new Set(['b']));
    expect(JSON.parse(Buffer.from(body.subarray(0, headerLength)).toString()).outputs).toEqual([
      { name: 'a', datatype: 'UINT8', shape: [1], data: [9] },
      { name: 'b', datatype: 'UINT8', shape: [1], parameters: { binary_data_size: 1 } },
    ]);
    expect([...body.subarray(headerLength)]).toEqual([9]);
  });
});
