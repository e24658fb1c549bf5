import { readFileSync } from 'node:fs';

/** In the order of the classifier's outputs. */
export const SENTIMENTS = ['negative', 'neutral', 'positive'] as const;

/** `label` is an index of SENTIMENTS. */
export type LabelledText = { readonly text: string; readonly label: number };

/**
 * The rows of a GoEmotions split (text, label ids, id; tab-separated) that have one label and not the ambiguous one.
 * The file's ids are 0 ambiguous, 1 negative, 2 neutral, 3 positive. Throws where a line is not of that form.
 */
export function readLabelledTexts(file: string): LabelledText[] {
  const rows: LabelledText[] = [];
  for (const [at, line] of readFileSync(file, 'utf8').split('\n').entries()) {
    if (line === '') continue;
    const [text, ids, id, ...more] = line.split('\t');
    if (
      text === undefined ||
      ids === undefined ||
      id === undefined ||
      more.length > 0 ||
      !/^[0-3](,[0-3])*$/.test(ids)
    ) {
      throw new Error(`${file}, line ${at + 1}: expected text, label ids and id, separated by tabs`);
    }
    if (/^[123]$/.test(ids)) rows.push({ text, label: Number(ids) - 1 });
  }
  return rows;
}
