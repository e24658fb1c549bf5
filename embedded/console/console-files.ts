import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const compress = promisify(gzip);

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};
/** Fonts are compressed already. */
const COMPRESSED = new Set(['.woff2']);

export type ConsoleFile = {
  readonly contentType: string;
  /** Strong, of the bytes before compression. */
  readonly etag: string;
  readonly bytes: Buffer;
  /** Undefined where compressing gains nothing. */
  readonly gzipped: Buffer | undefined;
};

/** A built console by path within it, such as `assets/index-a1b2.js`: what is not here does not exist, wherever a path points. */
export type ConsoleFiles = ReadonlyMap<string, ConsoleFile>;

/** Reads a built console into memory, some 3 MB. Throws where it is not whole. */
export async function readConsoleFiles(folder: string): Promise<ConsoleFiles> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const served = entries.filter((entry) => entry.isFile() && !relative(folder, entry.parentPath).startsWith('.'));
  const paths = served.map((entry) => join(entry.parentPath, entry.name));
  const files = await Promise.all(
    paths.map(async (path) => [relative(folder, path).split(sep).join('/'), await readConsoleFile(path)] as const),
  );
  const found = new Map(files);
  if (!found.has('index.html')) throw new Error(`${folder} holds no console`);
  return found;
}

async function readConsoleFile(path: string): Promise<ConsoleFile> {
  const extension = extname(path);
  const bytes = await readFile(path);
  return {
    contentType: TYPES[extension] ?? 'application/octet-stream',
    etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
    bytes,
    gzipped: COMPRESSED.has(extension) ? undefined : await compress(bytes),
  };
}
