import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MOST_MODEL_BYTES } from '../core/models/push.ts';
import { GIB } from '../core/units.ts';

const MANIFEST = 'manifest.json';
const MODEL = 'model.onnx';
const GOLDEN = 'golden.jsonl';
const TOKENIZER = 'tokenizer.json';
const REFERENCE = 'reference.json';

export type FolderFile = { readonly name: string; readonly path: string; readonly sizeBytes: number };

/** What of a folder is pushed. */
export type ModelFolder = {
  /** The content of manifest.json; what is wrong with it is for the validation to say. */
  readonly manifest: Record<string, unknown>;
  readonly model: FolderFile;
  readonly golden: FolderFile | undefined;
  readonly tokenizer: FolderFile | undefined;
  readonly reference: FolderFile | undefined;
  /** What a person should know of the rest of the folder, a sentence each. */
  readonly notes: readonly string[];
};

/** Throws an error that says what to do where the folder, the manifest or the model is missing, or the manifest is no JSON object. */
export async function readModelFolder(folder: string): Promise<ModelFolder> {
  const names = await listFolder(folder);
  if (!names.includes(MANIFEST)) {
    throw new Error(
      `${folder} has no ${MANIFEST}. The smallest is {"name": "my-model"}; docs/manifest.md has the rest.`,
    );
  }
  if (!names.includes(MODEL)) throw new Error(`${folder} has no ${MODEL}.${renameAdvice(names)}`);
  const manifest = await readManifest(join(folder, MANIFEST));
  const find = async (name: string) => (names.includes(name) ? await describe(folder, name) : undefined);
  const model = await describe(folder, MODEL);
  if (model.sizeBytes > MOST_MODEL_BYTES) {
    throw new Error(`${model.path} has ${(model.sizeBytes / GIB).toFixed(1)} GiB; an ONNX file has at most 2.`);
  }
  const [golden, tokenizer, reference] = [await find(GOLDEN), await find(TOKENIZER), await find(REFERENCE)];
  return { manifest, model, golden, tokenizer, reference, notes: notesOn(names) };
}

/** Opened when it is read, so that what is never read needs no closing. */
export async function* readFolderFile({ path }: FolderFile): AsyncGenerator<Uint8Array> {
  yield* createReadStream(path, { highWaterMark: 1 << 20 });
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new Error(`There is no folder ${folder}.`, { cause });
    if (code === 'ENOTDIR') {
      throw new Error(`${folder} is a file. Name the folder that holds ${MANIFEST} and ${MODEL}.`, { cause });
    }
    throw new Error(`${folder} cannot be read (${code}).`, { cause });
  }
}

async function readManifest(path: string): Promise<Record<string, unknown>> {
  const text = await readFile(path, 'utf8');
  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${path} is not JSON: ${(cause as Error).message}.`, { cause });
  }
  if (manifest === null || typeof manifest !== 'object' || Array.isArray(manifest)) {
    throw new Error(`${path} must hold one JSON object, such as {"name": "my-model"}.`);
  }
  return manifest as Record<string, unknown>;
}

async function describe(folder: string, name: string): Promise<FolderFile> {
  const path = join(folder, name);
  const found = await stat(path);
  if (!found.isFile()) throw new Error(`${path} is not a file.`);
  return { name, path, sizeBytes: found.size };
}

function renameAdvice(names: readonly string[]): string {
  const [other] = names.filter((name) => name.endsWith('.onnx'));
  return other === undefined ? ' Export the model to ONNX under that name.' : ` Rename ${other} to ${MODEL}.`;
}

/** Files that exporters write weights to when a model is not saved as one file. */
const WEIGHTS = /\.(data|bin|weights?|pb)$|^model\.onnx[._]|onnx_data$/;

function notesOn(names: readonly string[]): string[] {
  const known = [MANIFEST, MODEL, GOLDEN, TOKENIZER, REFERENCE];
  const others = names.filter((name) => !known.includes(name) && !name.startsWith('.')).sort();
  const weights = others.filter((name) => WEIGHTS.test(name));
  const notes: string[] = [];
  if (others.length > 0) notes.push(`ignored, as no part of a model: ${others.join(', ')}`);
  if (weights.length > 0) {
    notes.push(
      `if ${MODEL} keeps its weights in ${weights.join(', ')} it is refused: save it as one file (save_as_external_data=False)`,
    );
  }
  if (!names.includes(GOLDEN)) notes.push(`no ${GOLDEN}: nothing will show that the answers are right`);
  return notes;
}
