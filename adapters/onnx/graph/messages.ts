/**
 * The messages of onnx.proto that models here use, field numbers as in ONNX IR version 10. A field that is absent is
 * `undefined`; an empty list is the same as an absent one.
 */
export type OnnxModel = {
  irVersion?: number;
  producerName?: string;
  producerVersion?: string;
  domain?: string;
  modelVersion?: number;
  docString?: string;
  graph?: OnnxGraph;
  opsetImport?: OnnxOpset[];
  metadataProps?: OnnxEntry[];
  functions?: OnnxFunction[];
};

type OnnxOpset = { domain?: string; version?: number };

export type OnnxEntry = { key?: string; value?: string };

/** Operators of the model's own; a node of this name and domain stands for the nodes. */
export type OnnxFunction = {
  name?: string;
  input?: string[];
  output?: string[];
  node?: OnnxNode[];
  opsetImport?: OnnxOpset[];
  domain?: string;
};

export type OnnxGraph = {
  node?: OnnxNode[];
  name?: string;
  initializer?: OnnxTensor[];
  docString?: string;
  input?: OnnxValue[];
  output?: OnnxValue[];
  valueInfo?: OnnxValue[];
};

export type OnnxNode = {
  input?: string[];
  output?: string[];
  name?: string;
  opType?: string;
  attribute?: OnnxAttribute[];
  docString?: string;
  domain?: string;
};

/** Exactly the field that `type` names is set. */
export type OnnxAttribute = {
  name?: string;
  f?: number;
  i?: bigint;
  s?: Uint8Array;
  t?: OnnxTensor;
  g?: OnnxGraph;
  floats?: number[];
  ints?: bigint[];
  strings?: Uint8Array[];
  docString?: string;
  type?: number;
};

export type OnnxTensor = {
  dims?: number[];
  dataType?: number;
  floatData?: number[];
  int32Data?: number[];
  stringData?: Uint8Array[];
  int64Data?: bigint[];
  name?: string;
  /** Little-endian elements. */
  rawData?: Uint8Array;
  doubleData?: number[];
  docString?: string;
  externalData?: OnnxEntry[];
  /** 1: the elements are where `externalData` says. */
  dataLocation?: number;
};

export type OnnxValue = { name?: string; type?: OnnxType; docString?: string };

/** Exactly one is set. */
export type OnnxType = {
  tensorType?: OnnxTensorType;
  sequenceType?: OnnxSequenceType;
  mapType?: OnnxMapType;
  sparseTensorType?: OnnxTensorType;
  optionalType?: OnnxSequenceType;
};

type OnnxSequenceType = { elemType?: OnnxType };

type OnnxMapType = { keyType?: number; valueType?: OnnxType };

type OnnxTensorType = { elemType?: number; shape?: OnnxShape };

type OnnxShape = { dim?: OnnxDimension[] };

/** A fixed length, or the name of a free one. */
export type OnnxDimension = { dimValue?: number; dimParam?: string };

export type Messages = {
  Model: OnnxModel;
  Opset: OnnxOpset;
  Entry: OnnxEntry;
  Graph: OnnxGraph;
  Function: OnnxFunction;
  Node: OnnxNode;
  Attribute: OnnxAttribute;
  Tensor: OnnxTensor;
  Value: OnnxValue;
  Type: OnnxType;
  TensorType: OnnxTensorType;
  SequenceType: OnnxSequenceType;
  MapType: OnnxMapType;
  Shape: OnnxShape;
  Dimension: OnnxDimension;
};

export type MessageName = keyof Messages;
export type ScalarKind = 'string' | 'bytes' | 'int' | 'long' | 'float' | 'double';
/** Field number, kind, and whether there may be many. */
export type Field = readonly [number: number, kind: ScalarKind | MessageName, many?: 'many'];

/** `int` is a safe integer as a number, `long` a signed 64-bit integer as a bigint. */
export const MESSAGES: { readonly [M in MessageName]: { readonly [F in keyof Required<Messages[M]>]: Field } } = {
  Model: {
    irVersion: [1, 'int'],
    producerName: [2, 'string'],
    producerVersion: [3, 'string'],
    domain: [4, 'string'],
    modelVersion: [5, 'int'],
    docString: [6, 'string'],
    graph: [7, 'Graph'],
    opsetImport: [8, 'Opset', 'many'],
    metadataProps: [14, 'Entry', 'many'],
    functions: [25, 'Function', 'many'],
  },
  Function: {
    name: [1, 'string'],
    input: [4, 'string', 'many'],
    output: [5, 'string', 'many'],
    node: [7, 'Node', 'many'],
    opsetImport: [9, 'Opset', 'many'],
    domain: [10, 'string'],
  },
  Opset: { domain: [1, 'string'], version: [2, 'int'] },
  Entry: { key: [1, 'string'], value: [2, 'string'] },
  Graph: {
    node: [1, 'Node', 'many'],
    name: [2, 'string'],
    initializer: [5, 'Tensor', 'many'],
    docString: [10, 'string'],
    input: [11, 'Value', 'many'],
    output: [12, 'Value', 'many'],
    valueInfo: [13, 'Value', 'many'],
  },
  Node: {
    input: [1, 'string', 'many'],
    output: [2, 'string', 'many'],
    name: [3, 'string'],
    opType: [4, 'string'],
    attribute: [5, 'Attribute', 'many'],
    docString: [6, 'string'],
    domain: [7, 'string'],
  },
  Attribute: {
    name: [1, 'string'],
    f: [2, 'float'],
    i: [3, 'long'],
    s: [4, 'bytes'],
    t: [5, 'Tensor'],
    g: [6, 'Graph'],
    floats: [7, 'float', 'many'],
    ints: [8, 'long', 'many'],
    strings: [9, 'bytes', 'many'],
    docString: [13, 'string'],
    type: [20, 'int'],
  },
  Tensor: {
    dims: [1, 'int', 'many'],
    dataType: [2, 'int'],
    floatData: [4, 'float', 'many'],
    int32Data: [5, 'int', 'many'],
    stringData: [6, 'bytes', 'many'],
    int64Data: [7, 'long', 'many'],
    name: [8, 'string'],
    rawData: [9, 'bytes'],
    doubleData: [10, 'double', 'many'],
    docString: [12, 'string'],
    externalData: [13, 'Entry', 'many'],
    dataLocation: [14, 'int'],
  },
  Value: { name: [1, 'string'], type: [2, 'Type'], docString: [3, 'string'] },
  Type: {
    tensorType: [1, 'TensorType'],
    sequenceType: [4, 'SequenceType'],
    mapType: [5, 'MapType'],
    sparseTensorType: [8, 'TensorType'],
    optionalType: [9, 'SequenceType'],
  },
  SequenceType: { elemType: [1, 'Type'] },
  MapType: { keyType: [1, 'int'], valueType: [2, 'Type'] },
  TensorType: { elemType: [1, 'int'], shape: [2, 'Shape'] },
  Shape: { dim: [1, 'Dimension', 'many'] },
  Dimension: { dimValue: [1, 'int'], dimParam: [2, 'string'] },
};
