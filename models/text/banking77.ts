import { readFileSync } from 'node:fs';
import type { LabelledText } from './labelled-texts.ts';

/** The rows of a split of banking77: `label` is an index of `intents`, which are in alphabetical order. */
export type IntentTexts = { readonly intents: readonly string[]; readonly texts: readonly LabelledText[] };

/** Reads a split (RFC 4180: `text,category`, quotes doubled inside quotes). Throws where a line is not of that form. */
export function readBanking77(file: string): IntentTexts {
  const [head, ...rows] = parseCsv(readFileSync(file, 'utf8'));
  if (head?.join() !== 'text,category') throw new Error(`${file}: expected the columns text and category`);
  for (const [at, row] of rows.entries()) {
    if (row.length !== 2 || row[1] === '') throw new Error(`${file}, row ${at + 2}: expected a text and a category`);
  }
  const intents = [...new Set(rows.map(([, intent]) => intent!))].sort();
  const places = new Map(intents.map((intent, at) => [intent, at]));
  return { intents, texts: rows.map(([text, intent]) => ({ text: text!, label: places.get(intent!)! })) };
}

/** A field is in quotes or holds neither quotes nor commas nor line ends. */
const FIELD = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;

function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  FIELD.lastIndex = 0;
  while (FIELD.lastIndex < text.length) {
    const from = FIELD.lastIndex;
    const match = FIELD.exec(text);
    if (match === null) throw new Error(`no field of a CSV file at character ${from}`);
    row.push(match[1]?.replaceAll('""', '"') ?? match[2]!);
    if (match[3] === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows;
}
