import { writeField } from './codec.ts';
import type { Repair } from './cut-outputs.ts';
import { printable } from './damage.ts';
import type { FileReader } from './file-reader.ts';
import type { OnnxAttribute, OnnxNode } from './messages.ts';
import { readMessage } from './read-part.ts';
import type { Edit } from './splice.ts';
import { type Frame, frameOf, walk } from './walk.ts';

/** A StringNormalizer with 10,000 stop words has 150 kB. */
const MOST_NODE_BYTES = 512 * 1024;
const ATTRIBUTE = 5;
const STRING = 3;

/**
 * Part of every Linux that Node 24 runs on, and it changes the case of the letters of all languages as en_US.UTF-8 does, the runtime's
 * default. "C", which is everywhere too, would leave É and Ä as they are: other words than those that the model was fitted to.
 */
const LOCALE = 'C.UTF-8';
/** These are everywhere, or mean the same. */
const KEPT = ['C', 'POSIX', 'C.UTF-8', 'C.utf8'];
/** Languages with rules of their own for the case of i. */
const DOTLESS = /^(tr|az|lt)(_|$)/;

/** Gives a StringNormalizer a locale that is there; undefined where it needs none or has one. */
export async function mendLocale(reader: FileReader, frame: Frame): Promise<Repair | undefined> {
  const { name = '', attribute = [] }: OnnxNode = await readMessage(reader, 'Node', frame, MOST_NODE_BYTES);
  const find = (wanted: string): OnnxAttribute | undefined => attribute.find((each) => each.name === wanted);
  const changesCase = !['', 'NONE'].includes(textOf(find('case_change_action')));
  const comparesExactly = find('is_case_sensitive')?.i === 1n;
  const given = find('locale');
  const locale = textOf(given);
  if ((!changesCase && comparesExactly) || (given !== undefined && KEPT.includes(locale))) return undefined;
  const which = `StringNormalizer${name === '' ? '' : ` ${printable(name)}`}`;
  return {
    edits: await replaceLocale(reader, frame),
    sentence:
      given === undefined
        ? `gave ${which} the locale ${LOCALE}: it had none, and the default, en_US.UTF-8, is missing on many machines; letters change case alike in both`
        : `gave ${which} the locale ${LOCALE} instead of ${locale === '' ? "the machine's" : printable(locale)}, which may be missing${effectOf(locale)}`,
  };
}

function textOf(attribute: OnnxAttribute | undefined): string {
  return Buffer.from(attribute?.s ?? []).toString('utf8');
}

function effectOf(locale: string): string {
  if (DOTLESS.test(locale)) return '; I and i change case as in English now, which may change answers';
  return locale === '' ? '' : '; letters change case alike in both';
}

/** Takes the attributes named `locale` out and puts one at the end. */
async function replaceLocale(reader: FileReader, frame: Frame): Promise<readonly Edit[]> {
  const fields: Frame[] = [];
  await walk(reader, frame, (field) => {
    if (field.number === ATTRIBUTE) fields.push(frameOf('Attribute', field, frame, reader));
    return undefined;
  });
  const edits: Edit[] = [];
  for (const attribute of fields) {
    const { name } = await readMessage(reader, 'Attribute', attribute, MOST_NODE_BYTES);
    if (name === 'locale')
      edits.push({ inside: frame, start: attribute.start, end: attribute.end, bytes: new Uint8Array() });
  }
  const locale = { name: 'locale', s: new TextEncoder().encode(LOCALE), type: STRING };
  return [
    ...edits,
    { inside: frame, start: frame.end, end: frame.end, bytes: writeField(ATTRIBUTE, 'Attribute', locale) },
  ];
}
