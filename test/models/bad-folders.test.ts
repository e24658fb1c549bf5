import { createReadStream, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Failure } from '../../core/failure.ts';
import type { Validation } from '../../core/models/report.ts';
import { validateFiles } from '../../embedded/validate-files.ts';
import { type BadFolder, writeBadFolders } from '../../models/bad-folders.ts';

let target: string;
let folders: readonly BadFolder[];
beforeAll(async () => {
  target = mkdtempSync(join(tmpdir(), 'sluice-bad-folders-'));
  folders = await writeBadFolders(target);
});
afterAll(() => rmSync(target, { recursive: true }));

/** What a push of the folder ends with. */
async function verdictOf(folder: string): Promise<{ code: string; detail: string; validation?: Validation }> {
  const golden = join(folder, 'golden.jsonl');
  const files = {
    modelPath: join(folder, 'model.onnx'),
    golden: existsSync(golden) ? createReadStream(golden) : undefined,
    tokenizerPath: undefined,
  };
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
    const { validation } = await validateFiles(manifest, files, () => {});
    return { code: 'accepted', detail: '', validation };
  } catch (error) {
    if (error instanceof Failure) return { code: error.code, detail: error.message };
    throw error;
  }
}

test('every folder is refused, or accepted, as its catalogue entry says, with a detail that tells why', async () => {
  const verdicts = new Map<string, Awaited<ReturnType<typeof verdictOf>>>();
  for (const { name, folder } of folders) verdicts.set(name, await verdictOf(folder));
  expect(folders.map(({ name }) => [name, verdicts.get(name)?.code])).toEqual(
    folders.map(({ name, expected }) => [name, expected]),
  );
  const said = Object.fromEntries([...verdicts].map(([name, { detail }]) => [name, detail]));
  expect(said).toMatchObject({
    'bad-truncated': expect.stringContaining('cut short'),
    'bad-lfs-pointer': expect.stringContaining('Git LFS pointer'),
    'bad-external-data': expect.stringContaining('outside of the pushed folder'),
    'bad-operator': expect.stringContaining('FancySum of domain com.example'),
    'bad-sequence': expect.stringContaining('SplitToSequence makes it'),
  });
  expect(verdicts.get('odd-batch-mates')?.validation?.batchMates.verdict).toBe('mate-dependent');
  expect(verdicts.get('odd-zipmap')?.validation).toMatchObject({
    repairs: [expect.stringContaining('cut off ZipMap')],
    batchMates: { verdict: 'independent' },
  });
}, 60_000);

test('the folders are of different names, the same to the byte whenever they are written', async () => {
  const again = join(target, 'again');
  const second = await writeBadFolders(again);
  expect(new Set(second.map(({ name }) => name)).size).toBe(folders.length);
  for (const [at, { folder }] of second.entries()) {
    const files = readdirSync(folder);
    expect(files).toEqual(expect.arrayContaining(['manifest.json', 'model.onnx']));
    for (const file of files) {
      expect(readFileSync(join(folder, file)).equals(readFileSync(join(folders[at]!.folder, file)))).toBe(true);
    }
  }
});
