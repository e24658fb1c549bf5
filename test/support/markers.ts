import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export type Leak = { readonly where: string; readonly what: string };

/**
 * Text that nobody could guess, to be looked for where it must not be. All markers of a run begin alike, so that one search
 * finds any of them, and each is one of a kind.
 */
export class MarkerRun {
  readonly #prefix = `zq${randomBytes(12).toString('hex')}`;
  readonly #pattern = new RegExp(`${this.#prefix}[0-9a-z-]*Z`, 'g');
  readonly #needles = needlesOf(this.#prefix);
  #count = 0;

  /** A new marker of a tenant, of letters, digits and dashes. */
  next(tenant: string): string {
    this.#count += 1;
    return `${this.#prefix}-${tenant}-${this.#count}-${randomBytes(8).toString('hex')}Z`;
  }

  /** Every marker in a text, whosever. */
  in(text: string): string[] {
    return text.match(this.#pattern) ?? [];
  }

  /** Markers that are not in `own`. */
  foreign(where: string, text: string, own: readonly string[]): Leak[] {
    return this.in(text)
      .filter((marker) => !own.includes(marker))
      .map((marker) => ({ where, what: `marker of ${marker.split('-')[1]}` }));
  }

  /** Any marker in bytes: as it is, as UTF-16, in hex or in base64, wherever it begins. */
  inBytes(where: string, bytes: Buffer): Leak[] {
    return this.#needles.filter(({ needle }) => bytes.includes(needle)).map(({ form }) => ({ where, what: form }));
  }

  /** The same for every file below a folder, names too. */
  async inFolder(folder: string): Promise<Leak[]> {
    const leaks: Leak[] = [];
    for await (const { name, bytes } of filesBelow(folder)) {
      leaks.push(...this.inBytes(`file ${name}`, bytes), ...this.inBytes('file name', Buffer.from(name)));
    }
    return leaks;
  }
}

/** Names of the files below a folder that hold a text, in their bytes or their name. */
export async function filesWith(folder: string, text: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, bytes } of filesBelow(folder)) {
    if (name.includes(text) || bytes.includes(text)) names.push(name);
  }
  return names;
}

/** Files that go away meanwhile are left out. */
async function* filesBelow(folder: string): AsyncIterable<{ readonly name: string; readonly bytes: Buffer }> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path).catch(() => undefined);
    if (bytes !== undefined) yield { name: path.slice(folder.length), bytes };
  }
}

type Needle = { readonly form: string; readonly needle: Buffer };

function needlesOf(text: string): Needle[] {
  const plain = Buffer.from(text);
  const wide = Buffer.from(text, 'utf16le');
  return [
    { form: 'plain text', needle: plain },
    { form: 'UTF-16', needle: wide },
    { form: 'UTF-16 big-endian', needle: Buffer.from(wide).swap16() },
    { form: 'hex', needle: Buffer.from(plain.toString('hex')) },
    { form: 'HEX', needle: Buffer.from(plain.toString('hex').toUpperCase()) },
    ...[0, 1, 2].map((shift) => ({ form: 'base64', needle: base64Within(plain, shift) })),
  ];
}

/** What stands in any base64 text that holds `bytes` from a place that leaves `shift` when divided by three. */
function base64Within(bytes: Buffer, shift: number): Buffer {
  const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
  // Digits of six bits that hold bits of neighbours are left out at both ends.
  const first = Math.ceil((8 * shift) / 6);
  const end = Math.floor((8 * (shift + bytes.length)) / 6);
  return Buffer.from(text.slice(first, end));
}
