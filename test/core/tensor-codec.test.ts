import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asFailure } from '../../core/failure.ts';
import { allocate, DATATYPES, elementCount, type Tensor } from '../../core/inference/tensor.ts';
import { decodeTensors, encodeTensors } from '../../core/inference/tensor-codec.ts';

/** Any tensor: every datatype, ranks 0 to 3, empty ones too, and every bit pattern of its elements. */
const anyTensor: fc.Arbitrary<Tensor> = fc
  .record({
    name: fc.string({ unit: 'grapheme', maxLength: 20 }),
    datatype: fc.constantFrom(...DATATYPES),
    shape: fc.array(fc.nat(4), { maxLength: 3 }),
  })
  .chain(({ name, datatype, shape }): fc.Arbitrary<Tensor> => {
    const length = elementCount(shape);
    if (datatype === 'BYTES') {
      return fc
        .array(fc.string({ unit: 'grapheme', maxLength: 12 }), { minLength: length, maxLength: length })
        .map((data) => ({ name, datatype, shape, data }));
    }
    const data = allocate(datatype, length) as Uint8Array;
    return fc.uint8Array({ minLength: data.byteLength, maxLength: data.byteLength }).map((bytes) => {
      const filled = allocate(datatype, length) as Uint8Array;
      new Uint8Array(filled.buffer).set(bytes);
      return { name, datatype, shape, data: filled };
    });
  });

function bytesOf(tensor: Tensor): unknown {
  const { data } = tensor;
  return Array.isArray(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex');
}

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return asFailure(error).code;
  }
}

describe('tensor codec', () => {
  it('gives back every tensor bit for bit, wherever its bytes lie in memory', () => {
    fc.assert(
      fc.property(fc.array(anyTensor, { maxLength: 4 }), fc.nat(9), (tensors, offset) => {
        const encoded = encodeTensors(tensors);
        const moved = new Uint8Array(encoded.length + offset).subarray(offset);
        moved.set(encoded);
        const decoded = decodeTensors(moved);
        expect(decoded.map(({ name, datatype, shape }) => ({ name, datatype, shape }))).toEqual(
          tensors.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
        );
        expect(decoded.map(bytesOf)).toEqual(tensors.map(bytesOf));
        expect(decoded.map((tensor) => tensor.data.constructor)).toEqual(
          tensors.map((tensor) => tensor.data.constructor),
        );
      }),
    );
  });

  it('uses aligned bytes in place', () => {
    const encoded = encodeTensors([{ name: 'x', datatype: 'FP64', shape: [2], data: new Float64Array([1, 2]) }]);
    const [tensor] = decodeTensors(encoded);
    expect((tensor!.data as Float64Array).buffer).toBe(encoded.buffer);
  });

  it('keeps a view of a larger array apart from its neighbours', () => {
    const data = new Float32Array([1, 2, 3, 4]).subarray(1, 3);
    const [tensor] = decodeTensors(encodeTensors([{ name: 'x', datatype: 'FP32', shape: [2], data }]));
    expect([...(tensor!.data as Float32Array)]).toEqual([2, 3]);
  });

  it('refuses every cut-off and every lengthened encoding as damaged', () => {
    fc.assert(
      fc.property(fc.array(anyTensor, { minLength: 1, maxLength: 3 }), fc.nat(), (tensors, seed) => {
        const encoded = encodeTensors(tensors);
        expect(codeOf(() => decodeTensors(encoded.subarray(0, seed % encoded.length)))).toBe('record-damaged');
        expect(codeOf(() => decodeTensors(Buffer.concat([encoded, Buffer.alloc(8)])))).toBe('record-damaged');
      }),
    );
  });

  it('answers changed bytes with a well-formed tensor or record-damaged, never anything else', () => {
    fc.assert(
      fc.property(fc.array(anyTensor, { maxLength: 3 }), fc.nat(), fc.nat(255), (tensors, place, value) => {
        const encoded = encodeTensors(tensors);
        encoded[place % encoded.length] = value;
        try {
          for (const tensor of decodeTensors(encoded)) expect(tensor.data.length).toBe(elementCount(tensor.shape));
        } catch (error) {
          expect(asFailure(error).code).toBe('record-damaged');
        }
      }),
      { numRuns: 500 },
    );
  });

  it('refuses arbitrary bytes without reading past them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        bytes[0] = 1;
        expect([undefined, 'record-damaged']).toContain(codeOf(() => decodeTensors(bytes)));
      }),
    );
  });
});
