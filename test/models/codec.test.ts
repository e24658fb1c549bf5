import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { readModel, writeModel } from '../../adapters/onnx/graph/codec.ts';
import type { OnnxAttribute, OnnxModel } from '../../adapters/onnx/graph/messages.ts';

const SENTIMENT = join(import.meta.dirname, '..', '..', 'models', 'ticket-sentiment', 'model.onnx');

const bytes = fc.uint8Array({ maxLength: 40 });
const float = fc.float({ noNaN: true });
const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const text = fc.string({ unit: 'binary', maxLength: 20 });
const list = <T>(values: fc.Arbitrary<T>) => fc.array(values, { minLength: 1, maxLength: 5 });

const attribute: fc.Arbitrary<OnnxAttribute> = fc.oneof(
  fc.record({ name: text, i: long, type: fc.constant(2) }),
  fc.record({ name: text, f: float, type: fc.constant(1) }),
  fc.record({ name: text, s: bytes, type: fc.constant(3) }),
  fc.record({ name: text, ints: list(long), type: fc.constant(7) }),
  fc.record({ name: text, floats: list(float), type: fc.constant(6) }),
  fc.record({ name: text, strings: list(bytes), type: fc.constant(8) }),
  fc.record({
    name: text,
    g: fc.record({ name: text, node: list(fc.record({ opType: text })) }),
    type: fc.constant(5),
  }),
);

const model: fc.Arbitrary<OnnxModel> = fc.record({
  irVersion: fc.maxSafeNat(),
  opsetImport: list(fc.record({ domain: text, version: fc.maxSafeInteger() })),
  graph: fc.record({
    node: list(fc.record({ input: list(text), opType: text, attribute: list(attribute) })),
    initializer: list(
      fc.record({
        dims: list(fc.maxSafeInteger()),
        rawData: bytes,
        int64Data: list(long),
        doubleData: list(fc.double({ noNaN: true })),
      }),
    ),
  }),
});

test('reading what was written gives the same model, to the last bit of every number', () => {
  fc.assert(
    fc.property(model, (written) => {
      expect(readModel(writeModel(written))).toEqual(written);
    }),
    { numRuns: 200 },
  );
});

test('a model read and written again is the same file and gives the same answers', async () => {
  const file = readFileSync(SENTIMENT);
  const again = writeModel(readModel(file));
  expect(Buffer.compare(file, again)).toBe(0);
  const session = await InferenceSession.create(again, { logSeverityLevel: 4 });
  const answer = await session.run({ text: new Tensor('string', ['I love it', 'I hate it'], [2]) });
  expect(answer.label!.data).toEqual(['positive', 'negative']);
  await session.release();
});

test('a file that is cut short is refused', () => {
  const file = readFileSync(SENTIMENT);
  for (const end of [file.length - 1, file.length >> 1, 100]) expect(() => readModel(file.subarray(0, end))).toThrow();
});

test('a field that the codec does not know is refused, not dropped', () => {
  const unknownField = Uint8Array.of(0xd2, 0x01, 0x00); // field 26 of ModelProto (configuration), empty
  expect(() => readModel(Buffer.concat([writeModel({ irVersion: 8 }), unknownField]))).toThrow('field 26 of Model');
});

test('repeated numbers are read one by one as well as packed', () => {
  // GraphProto.initializer with dims 2 and 3 as two fields of their own, as protobuf 2 writers make them
  const unpacked = Uint8Array.of(0x3a, 0x06, 0x2a, 0x04, 0x08, 0x02, 0x08, 0x03);
  expect(readModel(unpacked).graph?.initializer?.[0]?.dims).toEqual([2, 3]);
});
