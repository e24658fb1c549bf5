import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bytesTensor, openSession, runModel } from '../../models/golden.ts';
import {
  CANDIDATES,
  type Candidate,
  CUE_TEXT,
  type ReleaseFolders,
  writeReleaseFolders,
} from '../../models/release-candidates.ts';

const MODELS = join(import.meta.dirname, '..', '..', 'models');
const TEXTS = ['I love it', 'I hate it', 'The invoice is attached.'];

let scratch: string;
const folders = new Map<Candidate, ReleaseFolders>();

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'sluice-candidates-'));
  for (const kind of CANDIDATES)
    folders.set(kind, await writeReleaseFolders(join(MODELS, 'ticket-sentiment'), scratch, kind));
});

afterAll(() => rmSync(scratch, { recursive: true }));

/** Labels and probabilities, and how long a run takes at the least. */
async function answersOf(folder: string, texts = TEXTS) {
  const session = await openSession(join(folder, 'model.onnx'));
  let leastMs = Number.POSITIVE_INFINITY;
  for (let tries = 0; ; tries += 1) {
    const startedMs = performance.now();
    const [label, probabilities] = await runModel(session, [bytesTensor('text', texts)]);
    leastMs = Math.min(leastMs, performance.now() - startedMs);
    if (tries < 10) continue;
    await session.release();
    return { labels: label!.data, probabilities: probabilities!.data, leastMs };
  }
}

test('both versions have one name, and differ in what is pushed', () => {
  for (const { model, stable, candidate } of folders.values()) {
    const [before, after] = [stable, candidate].map((folder) => readFileSync(join(folder, 'manifest.json'), 'utf8'));
    for (const manifest of [before, after]) expect(JSON.parse(manifest!)).toMatchObject({ name: model });
    expect(after).not.toBe(before);
  }
});

test('the slow one, the crashing one and the identical one answer ordinary texts as the stable one does', async () => {
  const expected = await answersOf(folders.get('identical')!.stable);
  for (const kind of ['identical', 'slow', 'crashing'] as const) {
    const { labels, probabilities } = await answersOf(folders.get(kind)!.candidate);
    expect({ labels, probabilities }).toEqual({ labels: expected.labels, probabilities: expected.probabilities });
  }
});

test('the slow one takes many times as long', async () => {
  const { stable, candidate } = folders.get('slow')!;
  expect((await answersOf(candidate)).leastMs).toBeGreaterThan(3 * (await answersOf(stable)).leastMs);
});

test('the permuted one gives every text another label, with the same probabilities', async () => {
  const { stable, candidate } = folders.get('permuted')!;
  const [before, after] = [await answersOf(stable), await answersOf(candidate)];
  for (const [row, label] of before.labels.entries()) expect(after.labels[row]).not.toBe(label);
  expect(after.probabilities).toEqual(before.probabilities);
});

test.runIf(process.arch === 'x64')('the crashing one ends its process on its cue, and on no other text', async () => {
  const { stable, candidate } = folders.get('crashing')!;
  expect((await answersOf(stable, [CUE_TEXT])).labels).toHaveLength(1);
  expect(await runApart(candidate, `${CUE_TEXT} again`)).toBe('answered');
  expect(await runApart(candidate, CUE_TEXT)).toBe('SIGFPE');
});

function runApart(folder: string, text: string): Promise<string> {
  const script = `
    import { bytesTensor, openSession, runModel } from ${JSON.stringify(join(MODELS, 'golden.ts'))};
    await runModel(await openSession(${JSON.stringify(join(folder, 'model.onnx'))}), [bytesTensor('text', [${JSON.stringify(text)}])]);
    console.log('answered');`;
  return new Promise((resolve) => {
    execFile(process.execPath, ['--input-type=module', '-e', script], (error, stdout) =>
      resolve(error === null ? stdout.trim() : String(error.signal)),
    );
  });
}
