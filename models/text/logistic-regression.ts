import { seededRandom } from '../../core/seeded-random.ts';
import type { TextVector } from './vocabulary.ts';

export type LinearModel = {
  /** Row-major, [classes, features]. */
  readonly coefficients: Float32Array;
  readonly intercepts: Float32Array;
};

export type TrainingOptions = {
  readonly classes: number;
  readonly features: number;
  readonly epochs: number;
  readonly learningRate: number;
  /** Pull towards zero of a coefficient, each time that its feature is seen. */
  readonly decay: number;
  readonly seed: number;
};

/**
 * Multinomial logistic regression by stochastic gradient descent, one example at a time, with AdaGrad steps
 * (Duchi, Hazan, Singer 2011). The same examples and options give the same bits. `onEpoch` gets the mean loss in nats.
 */
export function trainLogisticRegression(
  examples: readonly { readonly vector: TextVector; readonly label: number }[],
  options: TrainingOptions,
  onEpoch: (epoch: number, loss: number) => void,
): LinearModel {
  const { classes, features, learningRate, decay } = options;
  // One intercept a class stands after its coefficients, as the weight of a feature that is always 1.
  const width = features + 1;
  const weights = new Float64Array(classes * width);
  const squares = new Float64Array(classes * width).fill(1e-8);
  const step = (at: number, gradient: number) => {
    squares[at]! += gradient * gradient;
    weights[at]! -= (learningRate * gradient) / Math.sqrt(squares[at]!);
  };
  const order = Int32Array.from(examples.keys());
  const random = seededRandom(options.seed);
  for (let epoch = 1; epoch <= options.epochs; epoch++) {
    shuffle(order, random);
    let loss = 0;
    for (const at of order) {
      const { vector, label } = examples[at]!;
      const shares = softmax(scoreClasses(weights, width, vector));
      loss -= Math.log(shares[label]!);
      for (let each = 0; each < classes; each++) {
        const error = shares[each]! - (each === label ? 1 : 0);
        const row = each * width;
        step(row + features, error);
        for (let n = 0; n < vector.features.length; n++) {
          const cell = row + vector.features[n]!;
          step(cell, error * vector.values[n]! + decay * weights[cell]!);
        }
      }
    }
    onEpoch(epoch, loss / examples.length);
  }
  return splitWeights(weights, classes, features);
}

/** Probabilities by class. */
export function classify(model: LinearModel, vector: TextVector): Float64Array {
  const classes = model.intercepts.length;
  const features = model.coefficients.length / classes;
  const scores = Float64Array.from(model.intercepts);
  for (let each = 0; each < classes; each++) {
    for (let n = 0; n < vector.features.length; n++) {
      scores[each]! += model.coefficients[each * features + vector.features[n]!]! * vector.values[n]!;
    }
  }
  return softmax(scores);
}

function scoreClasses(weights: Float64Array, width: number, vector: TextVector): Float64Array {
  const scores = new Float64Array(weights.length / width);
  for (let each = 0; each < scores.length; each++) {
    const row = each * width;
    let score = weights[row + width - 1]!;
    for (let n = 0; n < vector.features.length; n++) score += weights[row + vector.features[n]!]! * vector.values[n]!;
    scores[each] = score;
  }
  return scores;
}

function softmax(scores: Float64Array): Float64Array {
  const most = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - most));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

/** Fisher and Yates. */
function shuffle(order: Int32Array, random: () => number): void {
  for (let at = order.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    const moved = order[at]!;
    order[at] = order[other]!;
    order[other] = moved;
  }
}

function splitWeights(weights: Float64Array, classes: number, features: number): LinearModel {
  const coefficients = new Float32Array(classes * features);
  const intercepts = new Float32Array(classes);
  for (let each = 0; each < classes; each++) {
    const row = each * (features + 1);
    coefficients.set(weights.subarray(row, row + features), each * features);
    intercepts[each] = weights[row + features]!;
  }
  return { coefficients, intercepts };
}
