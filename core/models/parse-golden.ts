import { expectArray, expectObject, parseJson } from '../api/json.ts';
import { decodeTensor } from '../api/oip-json.ts';
import { asFailure, Failure } from '../failure.ts';
import type { Tensor } from '../inference/tensor.ts';
import { MIB } from '../units.ts';
import type { GoldenPair } from './golden.ts';
import { readWhole } from './read-whole.ts';

/** Enough for a thousand pairs of 64 KiB; all of it is held in memory while a push is checked. */
const MOST_GOLDEN_BYTES = 64 * MIB;
const MOST_PAIRS = 1000;

/** What is in a golden file, and the file itself. */
export type Golden = { readonly pairs: readonly GoldenPair[]; readonly file: Uint8Array };

/**
 * `golden.jsonl`: a JSON object a line, `{"inputs":[tensor…],"outputs":[tensor…]}`, empty lines left out.
 * `golden-invalid` names the line; `body-too-large` beyond 64 MiB.
 */
export async function parseGolden(bytes: AsyncIterable<Uint8Array>): Promise<Golden> {
  const file = await readWhole(bytes, 'golden', MOST_GOLDEN_BYTES);
  const pairs: GoldenPair[] = [];
  let line = 0;
  for (const text of decode(file).split('\n')) {
    line += 1;
    if (text.trim() === '') continue;
    if (pairs.length === MOST_PAIRS) throw new Failure('golden-invalid', { detail: `more than ${MOST_PAIRS} pairs` });
    pairs.push(parsePair(text, line));
  }
  return { pairs, file };
}

function parsePair(text: string, line: number): GoldenPair {
  try {
    const pair = expectObject(parseJson(text), 'line');
    for (const key of Object.keys(pair)) {
      if (key !== 'inputs' && key !== 'outputs') throw new Failure('field-unknown', { field: key });
    }
    return { inputs: tensors(pair.inputs, 'inputs'), outputs: tensors(pair.outputs, 'outputs') };
  } catch (error) {
    const { code, facts } = asFailure(error);
    if (code === 'internal') throw error;
    const detail = `line ${line}: ${code}${facts.detail === undefined ? '' : `, ${facts.detail}`}`;
    throw new Failure('golden-invalid', { detail, line, ...(facts.field && { field: facts.field }) }, { cause: error });
  }
}

function tensors(json: unknown, field: string): Tensor[] {
  const list = expectArray(json, field);
  if (list.length === 0) throw new Failure('request-invalid', { field, detail: `${field} must not be empty` });
  return list.map((tensor, at) => decodeTensor(tensor, `${field}[${at}]`));
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Failure('golden-invalid', { detail: 'not UTF-8' }, { cause });
  }
}
