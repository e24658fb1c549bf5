import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseTokenizer } from '../../adapters/tokenizers/tokenizer-file.ts';
import { compileTextValidator } from '../../core/inference/tokenize.ts';
import { manifestSchema } from '../../core/models/manifest.ts';
import type { Signature } from '../../core/models/signature.ts';
import { publicSignature } from '../../core/models/tokenized-signature.ts';
import type { ModelVersion } from '../../core/models/version.ts';
import type { Bench } from '../bench.ts';
import { type Measurement, withDigits } from '../measurement.ts';
import { median } from '../statistics.ts';

const MODEL = 'text-encoder';
const BUDGET_US = 30;
/** What customers ask: 20 to 90 characters. */
const TEXTS = [
  'Where is my new card?',
  'I was charged twice for one transfer!',
  'How do I change the PIN of my card at a cash machine?',
  'Please cancel the payment that I made to the wrong account yesterday, it was by mistake.',
  'Why has my top up not arrived yet',
  'The exchange rate that you used for my withdrawal is wrong.',
  'Can I get a refund for something I bought online?',
  'My phone was stolen, what should I do now?',
  'Which currencies can I hold in my account?',
  'It says that my identity could not be verified. Why?',
];

export const tokenize: Measurement = {
  name: 'tokenize',
  summary: 'one short text from what the caller sent to what the graph takes, within the gateway',
  byDefault: true,
  async run(bench) {
    const validate = await openValidator(bench);
    const requests = TEXTS.map((text) => ({
      inputs: [{ name: 'text', datatype: 'BYTES' as const, shape: [1], data: [text] }],
      clientId: undefined,
      outputs: undefined,
      binaryByDefault: false,
      timeoutMs: undefined,
    }));
    const rounds = bench.quick ? 500 : 5_000;
    const micros: number[] = [];
    // The first half is for the compiler.
    for (let round = 0; round < 2 * rounds; round += 1) {
      for (const request of requests) {
        const startMs = performance.now();
        validate(request);
        if (round >= rounds) micros.push((performance.now() - startMs) * 1_000);
      }
    }
    const middle = median(micros);
    const p99 = micros.toSorted((a, b) => a - b)[Math.floor(micros.length * 0.99)]!;
    return [
      {
        what: `tokenizing a short text (WordPiece, ${TEXTS.length} texts of 20 to 90 characters), check and tensors included`,
        budget: `median ≤ ${BUDGET_US} µs`,
        measured: `${withDigits(middle, 1)} µs (p99 ${withDigits(p99, 1)} µs)`,
        met: middle <= BUDGET_US,
        figures: { medianMicros: middle, p99Micros: p99, calls: micros.length },
      },
    ];
  },
};

/** What the gateway calls for a request to the sample. */
async function openValidator(bench: Bench): Promise<ReturnType<typeof compileTextValidator>> {
  const folder = dirname(await bench.modelPath(MODEL));
  const manifest = manifestSchema.parse(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')));
  const shape = ['batch', 'sequence'];
  const graphSignature: Signature = {
    inputs: ['input_ids', 'attention_mask'].map((name) => ({ name, datatype: 'INT64', shape })),
    outputs: [{ name: 'embedding', datatype: 'FP32', shape: ['batch', 128] }],
  };
  const signature = publicSignature(graphSignature, manifest.tokenizer!);
  const version = { model: MODEL, version: '1', manifest, signature, graphSignature } as ModelVersion;
  const tokenizer = parseTokenizer(readFileSync(join(folder, 'tokenizer.json')));
  return compileTextValidator(version, tokenizer, { sleep: async () => {} });
}
