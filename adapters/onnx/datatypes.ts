import type { Datatype } from '../../core/inference/tensor.ts';

/** onnxruntime's names for what the Open Inference Protocol calls a datatype. */
const TYPE_OF = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'string',
} as const satisfies Record<Datatype, string>;

export type OnnxType = (typeof TYPE_OF)[Datatype];

const DATATYPE_OF = new Map(Object.entries(TYPE_OF).map(([datatype, type]) => [type as string, datatype as Datatype]));

export function toOnnxType(datatype: Datatype): OnnxType {
  return TYPE_OF[datatype];
}

/** undefined for element types that the protocol has no name for (4-bit integers). */
export function toDatatype(type: string): Datatype | undefined {
  return DATATYPE_OF.get(type);
}
