import type { GoldenPair } from '../../models/golden.ts';
import type { ModelVersion } from '../../models/version.ts';
import { Confidence } from '../confidence.ts';
import { LabelCounts } from '../label-counts.ts';
import { compileInputProfiler } from '../profile-inputs.ts';
import { compileLabelReader } from '../row-labels.ts';
import type { Profile } from './profile.ts';

/**
 * What validation saw of a version: the rows of its golden pairs, which are few, and chosen by people rather than drawn from traffic. Of a text that is
 * tokenized before it gets to the graph nothing is said.
 */
export function profileOfGolden(version: ModelVersion, pairs: readonly GoldenPair[]): Profile {
  const profile: Profile = { labels: new LabelCounts(), confidence: new Confidence(), inputs: new Map() };
  const readLabels = compileLabelReader(version.signature);
  const profileInputs = compileInputProfiler(version);
  for (const { inputs, outputs } of pairs) {
    const rows = outputs[0]?.shape[0] ?? 0;
    if (rows > 0) profileInputs(inputs, rows, rows, profile.inputs);
    const labels = readLabels?.(outputs, rows);
    for (let row = 0; row < rows; row += 1) {
      const [label, confidence] = [labels?.labelAt(row), labels?.confidenceAt(row)];
      if (label !== undefined) profile.labels.add(label);
      if (confidence !== undefined) profile.confidence.add(confidence);
    }
  }
  return profile;
}
