/**
 * What onnxruntime 1.30.0 has registered, as it says itself when it loads a graph of one node: operators by the first
 * opset that has them. Those that later opsets dropped are here too, and whether there is a kernel for a type is not said. A
 * test holds this against the runtime that is installed.
 */
export const RUNTIME_OPERATORS = {
  '': {
    newestOpset: 26,
    since: [
      [
        1,
        'Abs Add Affine And ArgMax ArgMin AveragePool BatchNormalization Cast Ceil Clip Concat Constant Conv ConvTranspose Crop DepthToSpace DisentangledAttention_TRT Div Dropout DynamicSlice EfficientNMS_TRT Elu Equal Exp Flatten Floor GRU GRUUnit Gather Gemm GivenTensorFill GlobalAveragePool GlobalLpPool GlobalMaxPool Greater HardSigmoid Hardmax Identity If ImageScaler InstanceNormalization LRN LSTM LayerNormalization LeakyRelu Less Log LogSoftmax Loop LpNormalization LpPool MatMul Max MaxPool MaxRoiPool Mean MeanVarianceNormalization MemcpyFromHost MemcpyToHost Min Mul MultilevelCropAndResize_TRT Neg Not Or PRelu Pad ParametricSoftplus Pow PyramidROIAlign_TRT RNN RandomNormal RandomNormalLike RandomUniform RandomUniformLike Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Scale ScaledTanh Selu Shape Sigmoid SimplifiedLayerNormalization Size Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Tanh ThresholdedRelu Tile TopK Transpose Unsqueeze Upsample Xor',
      ],
      [7, 'Acos Asin Atan Cos Multinomial Sin Tan'],
      [8, 'Expand Scan'],
      [
        9,
        'Acosh Asinh Atanh Compress ConstantOfShape Cosh Erf EyeLike IsNaN MaxUnpool NonZero OneHot Scatter Shrink Sign Sinh TfIdfVectorizer Where',
      ],
      [
        10,
        'ConvInteger DequantizeLinear IsInf MatMulInteger Mod NonMaxSuppression QLinearConv QLinearMatMul QuantizeLinear Resize ReverseSequence RoiAlign StringNormalizer',
      ],
      [
        11,
        'BitShift ConcatFromSequence CumSum Det DynamicQuantizeLinear GatherElements GatherND Range Round ScatterElements ScatterND SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceLength SplitToSequence Unique',
      ],
      [12, 'Celu Einsum GreaterOrEqual LessOrEqual NegativeLogLikelihoodLoss SoftmaxCrossEntropyLoss'],
      [14, 'HardSwish Trilu'],
      [15, 'Bernoulli CastLike Optional OptionalGetElement OptionalHasElement'],
      [16, 'GridSample'],
      [17, 'BlackmanWindow DFT HammingWindow HannWindow MelWeightMatrix STFT SequenceMap'],
      [18, 'BitwiseAnd BitwiseNot BitwiseOr BitwiseXor CenterCropPad Col2Im GroupNormalization Mish'],
      [19, 'DeformConv'],
      [20, 'AffineGrid Gelu ImageDecoder RegexFullMatch StringConcat StringSplit'],
      [23, 'Attention RMSNormalization RotaryEmbedding'],
      [24, 'Swish TensorScatter'],
      [26, 'BitCast CumProd'],
    ],
  },
  'ai.onnx.ml': {
    newestOpset: 5,
    since: [
      [
        1,
        'ArrayFeatureExtractor Binarizer CastMap CategoryMapper Constant DictVectorizer FeatureVectorizer Imputer LabelEncoder LinearClassifier LinearRegressor Normalizer OneHotEncoder SVMClassifier SVMRegressor Scaler TreeEnsembleClassifier TreeEnsembleRegressor ZipMap',
      ],
      [5, 'TreeEnsemble'],
    ],
  },
} as const;

/**
 * Domains that the runtime or its builds fill with operators of their own: many, and not listed here. The two that need a library
 * of their own (onnxruntime-extensions) are none of these.
 */
export const RUNTIME_DOMAINS = /^(com\.microsoft|com\.ms|ai\.onnx)(\.|$)/;
export const EXTENSION_DOMAINS: readonly string[] = ['ai.onnx.contrib', 'com.microsoft.extensions'];

/** Newest version of the file format that the runtime reads. */
export const NEWEST_IR_VERSION = 13;
