import { writeModel } from '../../adapters/onnx/graph/codec.ts';
import type { OnnxValue } from '../../adapters/onnx/graph/messages.ts';
import { graphBuilder, onnxModel } from '../../models/onnx/graph.ts';
import type { ModelFiles } from './bad-models.ts';

/** TensorProto.DataType of the datatypes that onnxruntime-node takes as inputs. */
const ELEMENT_TYPE = {
  BOOL: 9,
  UINT8: 2,
  UINT16: 4,
  UINT32: 12,
  UINT64: 13,
  INT8: 3,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  FP32: 1,
  FP64: 11,
  BYTES: 8,
} as const;
const FLOAT16 = 10;

export type EchoDatatype = keyof typeof ELEMENT_TYPE;
export const ECHO_DATATYPES = Object.keys(ELEMENT_TYPE) as EchoDatatype[];

function value(name: string, elemType: number, dims: readonly (string | number)[]): OnnxValue {
  const dim = dims.map((each) => (typeof each === 'number' ? { dimValue: each } : { dimParam: each }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

/**
 * An input `in_<datatype>` [batch, width] of each datatype to the same `out_<datatype>`, and `half` FP16, which is in_FP32.
 * NaN and infinities are taken.
 */
export function echoAll(): ModelFiles {
  const builder = graphBuilder('echo_all');
  const dims = ['batch', 'width'];
  for (const datatype of ECHO_DATATYPES) builder.opTo([`out_${datatype}`], 'Identity', [`in_${datatype}`]);
  builder.opTo(['half'], 'Cast', ['in_FP32'], { to: FLOAT16 });
  const graph = builder.graph(
    ECHO_DATATYPES.map((datatype) => value(`in_${datatype}`, ELEMENT_TYPE[datatype], dims)),
    [
      ...ECHO_DATATYPES.map((datatype) => value(`out_${datatype}`, ELEMENT_TYPE[datatype], dims)),
      value('half', FLOAT16, dims),
    ],
  );
  return {
    model: writeModel(onnxModel(graph, { '': 17 }, 'echo-all')),
    manifest: {
      name: 'echo-all',
      inputs: { in_FP32: { allowNotFinite: true }, in_FP64: { allowNotFinite: true } },
      maxComputeMsPerRow: 1,
    },
    golden: '',
  };
}

/** `text` BYTES [batch] to the same `echo`: what goes in can be looked for in all that comes out. */
export function echoText(name = 'echo-text'): ModelFiles {
  const builder = graphBuilder('echo_text');
  builder.opTo(['echo'], 'Identity', ['text']);
  const graph = builder.graph(
    [value('text', ELEMENT_TYPE.BYTES, ['batch'])],
    [value('echo', ELEMENT_TYPE.BYTES, ['batch'])],
  );
  return {
    model: writeModel(onnxModel(graph, { '': 17 }, name)),
    manifest: { name, maxComputeMsPerRow: 1 },
    golden: '',
  };
}
