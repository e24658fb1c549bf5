import { bytesTensor } from '../golden.ts';
import type { ManifestFile } from '../model-folder.ts';
import { INTENTS } from './intents.ts';
import type { TextModelSettings } from './text-model.ts';

/**
 * Chosen on three folds of train.csv, a fifth each (87.7 %; 87.2 to 87.7 % for 3,000 to 8,000 terms, rates of 0.1 to 0.4 and 8 to 12
 * epochs). 77 coefficients a term are most of the file: 1.5 MB.
 */
export const SETTINGS: Omit<TextModelSettings, 'labels'> = {
  terms: 5000,
  leastTexts: 2,
  epochs: 8,
  learningRate: 0.3,
  decay: 1e-4,
  seed: 42,
};

/** A long ticket, about 700 words. */
export const MAX_LENGTH = 4000;

export const MANIFEST: ManifestFile = {
  name: 'ticket-intent',
  description:
    'What a customer of a bank wants: one of 77 intents with the probability of each, in alphabetical order.',
  license: 'CC-BY-4.0',
  provenance:
    'Trained by models/train.ts on banking77 (Casanueva et al. 2020, PolyAI-LDN/task-specific-datasets, CC-BY-4.0); see MODEL_CARD.md.',
  inputs: { text: { maxLength: MAX_LENGTH } },
  batching: { maxRows: 64 },
  limits: { maxRows: 256 },
  timeoutMs: 2000,
  maxComputeMsPerRow: 5,
  tolerance: { absolute: 1e-5, relative: 1e-4 },
  feedback: { days: 30, labels: [...INTENTS] },
};

export const GOLDEN_INPUTS = [
  ['I still have not received my new card, when will it arrive?'],
  ['Why was I charged a fee when I took out cash?'],
  ['How do I change my PIN at the machine'],
  [''],
  ['xqzt brrgl 4711-000'],
  ['Je ne comprends pas 👍 — my TOP UP didn’t work… 谢谢'],
  [`${'The exchange rate you used is wrong. '.repeat(40)}Please help.`],
  ['cancel my transfer', 'where is my refund', '', 'I lost my phone', 'Which currencies can I hold?'],
].map((texts) => [bytesTensor('text', texts)]);
