import fc from 'fast-check';
import {
  allocate,
  DATATYPES,
  type Datatype,
  elementBytes,
  type Tensor,
  type TensorData,
} from '../../core/inference/tensor.ts';

/** Any tensor of any datatype, with every bit pattern that it can hold (text well-formed and without NUL). */
export function anyTensor(): fc.Arbitrary<Tensor> {
  return fc
    .record({
      name: fc.string(),
      datatype: fc.constantFrom(...DATATYPES),
      shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
    })
    .chain(({ name, datatype, shape }) =>
      dataOf(
        datatype,
        shape.reduce((count, size) => count * size, 1),
      ).map((data) => ({ name, datatype, shape, data })),
    );
}

function dataOf(datatype: Datatype, count: number): fc.Arbitrary<TensorData> {
  const exactly = { minLength: count, maxLength: count };
  if (datatype === 'BYTES') {
    const text = fc.string({ unit: 'grapheme' }).filter((candidate) => !candidate.includes('\0'));
    return fc.array(text, exactly);
  }
  if (datatype === 'BOOL') return fc.uint8Array({ max: 1, ...exactly });
  const bytes = count * elementBytes(datatype);
  return fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((pattern) => {
    const data = allocate(datatype, count) as Exclude<TensorData, string[]>;
    new Uint8Array(data.buffer).set(pattern);
    return data;
  });
}
