import type { OnnxModel } from '../../adapters/onnx/graph/messages.ts';
import { graphBuilder, onnxModel, tensorValue } from '../onnx/graph.ts';
import type { LinearModel } from './logistic-regression.ts';
import { TOKEN_PATTERN } from './tokens.ts';
import type { Vocabulary } from './vocabulary.ts';

/**
 * From raw strings `text` [batch] to `label` (string, [batch]) and `probabilities` (float32, [batch, classes]): the same
 * tokens, TF-IDF and regression as the trainer's. A text without a known term gets the intercepts alone, never NaN.
 * The locale is named, for StringNormalizer's default (en_US.UTF-8) is missing on slim systems.
 */
export function textClassifier(vocabulary: Vocabulary, model: LinearModel, labels: readonly string[]): OnnxModel {
  const builder = graphBuilder('text_classifier');
  const lower = builder.op('StringNormalizer', ['text'], {
    case_change_action: 'LOWER',
    is_case_sensitive: 1,
    locale: 'C',
  });
  const tokens = builder.op(
    'Tokenizer',
    [lower],
    { mark: 0, mincharnum: 1, pad_value: '', tokenexp: TOKEN_PATTERN },
    'com.microsoft',
  );
  const pairsFrom = vocabulary.terms.findIndex((term) => term.includes(' '));
  const singles = pairsFrom === -1 ? vocabulary.terms.length : pairsFrom;
  const counts = builder.op('TfIdfVectorizer', [tokens], {
    mode: 'TFIDF',
    min_gram_length: 1,
    max_gram_length: 2,
    max_skip_count: 0,
    ngram_counts: [0, singles],
    ngram_indexes: [...vocabulary.terms.keys()],
    pool_strings: vocabulary.terms.flatMap((term) => term.split(' ')),
    weights: vocabulary.weights,
  });
  const vector = builder.op('Normalizer', [counts], { norm: 'L2' }, 'ai.onnx.ml');
  builder.opTo(
    ['label', 'probabilities'],
    'LinearClassifier',
    [vector],
    {
      classlabels_strings: labels,
      coefficients: model.coefficients,
      intercepts: model.intercepts,
      post_transform: 'SOFTMAX',
    },
    'ai.onnx.ml',
  );
  const graph = builder.graph(
    [tensorValue('text', 'string', ['batch'])],
    [tensorValue('label', 'string', ['batch']), tensorValue('probabilities', 'float', ['batch', labels.length])],
  );
  return onnxModel(graph, { '': 17, 'ai.onnx.ml': 3, 'com.microsoft': 1 }, 'Text classifier: TF-IDF, regression');
}
