import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../../../core/seeded-random.ts';
import { BOUNDARIES } from './boundaries.ts';
import type { Wish } from './choose.ts';
import { readHistory } from './history.ts';
import type { BugName } from './planted-bugs.ts';
import type { ReaderTask } from './reader.ts';
import { storyFiles } from './region-under-test.ts';
import type { Verdict } from './verdict.ts';
import type { VictimTask } from './victim.ts';

const VICTIM = fileURLToPath(new URL('./victim.ts', import.meta.url));
const READER = fileURLToPath(new URL('./reader.ts', import.meta.url));
/** Compiled once for all: a victim starts in half the time. Of this user and this test alone. */
const COMPILE_CACHE = join(tmpdir(), `sluice-durability-cache-${process.getuid?.() ?? 0}`);
/** A victim works for about a quarter of a second, and may stand behind others for a while. */
const VICTIM_LIMIT_MS = 60_000;
const READER_LIMIT_MS = 120_000;
/** The last half second of a victim's life, start included, is where a kill from outside comes. */
const OUTSIDE_MS = 350;
const NOON_MS = Date.UTC(2026, 0, 15, 12);
/** Any boundary: about as many are reached by one victim. */
const MOST_REACHED = 200;
const MOST_COMMITS = 25;

/** What a region does once in its life; every second story does without. */
const ONLY_AT_FIRST = ['key:synced', 'key:renamed'];

export type StoryPlan = {
  readonly seed: number;
  /** Processes, most of which are killed. */
  readonly incarnations: number;
  readonly bug?: BugName;
  /** What every client does first in every process. */
  readonly focus?: readonly Wish[];
  /** Where processes are killed, in turn; anywhere if not given. */
  readonly killAt?: readonly string[];
  /** In a process that is killed where `killAt` says, slow runs outlast it: whoever waits for one is told 202, however fast the machine. */
  readonly holdsSlowRuns?: boolean;
};

export type StoryReport = {
  readonly seed: number;
  /** Where each process was killed; `outside` if not by itself. */
  readonly killedAt: readonly string[];
  readonly closed: number;
  readonly verdict: Verdict;
  /** The files, kept if something was found. */
  readonly folder: string;
};

/** One region's life: opened, used and killed again and again, then judged by its reader. The same for the same seed, but for timing. */
export async function runStory(plan: StoryPlan): Promise<StoryReport> {
  const { seed, incarnations, bug, focus = [], killAt, holdsSlowRuns = false } = plan;
  const folder = mkdtempSync(join(tmpdir(), 'sluice-story-'));
  const offsetMs = NOON_MS - Date.now();
  const random = seededRandom(seed);
  const killedAt: string[] = [];
  let closed = 0;
  for (let incarnation = 0; incarnation < incarnations; incarnation += 1) {
    const { kill, outsideMs, ending } =
      killAt === undefined ? fateOf(seed, incarnation, incarnations, random) : fateAt(killAt, incarnation, random);
    const held = holdsSlowRuns && kill !== undefined ? { slowMs: VICTIM_LIMIT_MS } : {};
    const task: VictimTask = { folder, seed, incarnation, offsetMs, kill, ending, focus, bug, ...held };
    const end = await runProcess(VICTIM, task, VICTIM_LIMIT_MS, outsideMs);
    if (end.signal === null && end.code === 0) closed += 1;
    else if (end.signal === 'SIGKILL' && !end.isOverdue) killedAt.push(lastBoundary(folder, incarnation) ?? 'outside');
    else throw new Error(`seed ${seed}, process ${incarnation} (${folder}): ${describeEnd(end)}`);
  }
  // What a planted bug has lost need not be waited for long.
  const readerTask: ReaderTask = { folder, offsetMs, patienceMs: bug === undefined ? 20_000 : 2000 };
  const end = await runProcess(READER, readerTask, READER_LIMIT_MS, undefined);
  if (end.code !== 0) throw new Error(`seed ${seed}, reader (${folder}): ${describeEnd(end)}`);
  const verdict = JSON.parse(end.output) as Verdict;
  if (verdict.breaches.length === 0 || bug !== undefined) rmSync(folder, { recursive: true });
  return { seed, killedAt, closed, verdict, folder };
}

type Fate = Pick<VictimTask, 'kill' | 'ending'> & { readonly outsideMs: number | undefined };

/** Every second process is killed at a boundary that its number names, so that all have their turn; the others anywhere. */
function fateOf(seed: number, incarnation: number, incarnations: number, random: () => number): Fate {
  const ending = random() < 0.3 ? 'close' : 'kill';
  const atFirst = incarnation === 0 ? ONLY_AT_FIRST[seed % 4] : undefined;
  if (atFirst !== undefined) return { kill: { boundary: atFirst, nth: 1 }, ending, outsideMs: undefined };
  const turn = Math.floor((seed * incarnations + incarnation) / 2);
  const dice = random();
  if (incarnation % 2 === 0) {
    const boundary = BOUNDARIES[turn % BOUNDARIES.length]!;
    return { kill: { boundary, nth: 1 + Math.floor(dice * 2) }, ending, outsideMs: undefined };
  }
  if (dice < 0.2) return { kill: undefined, ending, outsideMs: Math.floor(random() * OUTSIDE_MS) };
  const nth = 1 + Math.floor(random() * MOST_REACHED);
  return { kill: { boundary: undefined, nth }, ending, outsideMs: undefined };
}

/** The first process closes in order, so that what all share is there. */
function fateAt(killAt: readonly string[], incarnation: number, random: () => number): Fate {
  if (incarnation === 0) return { kill: undefined, ending: 'close', outsideMs: undefined };
  const boundary = killAt[incarnation % killAt.length]!;
  const nth = 1 + Math.floor(random() * (boundary.startsWith('commit') ? MOST_COMMITS : 2));
  return { kill: { boundary, nth }, ending: 'kill', outsideMs: undefined };
}

function lastBoundary(folder: string, incarnation: number): string | undefined {
  const entries = readHistory(storyFiles(folder).history);
  const start = entries.findLastIndex((entry) => entry.e === 'started' && entry.incarnation === incarnation);
  const died = start < 0 ? undefined : entries.slice(start).find((entry) => entry.e === 'died');
  return died?.at;
}

type End = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly isOverdue: boolean;
  readonly output: string;
  readonly errors: string;
};

async function runProcess(file: string, task: object, limitMs: number, killAfterMs: number | undefined): Promise<End> {
  const child = spawn(process.execPath, [file, JSON.stringify(task)], {
    env: { NODE_COMPILE_CACHE: COMPILE_CACHE, TMPDIR: tmpdir() },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let isOverdue = false;
  const overdue = setTimeout(() => {
    isOverdue = true;
    child.kill('SIGKILL');
  }, limitMs);
  const outside = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  const texts = { output: '', errors: '' };
  collect(child, texts);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(overdue);
  clearTimeout(outside);
  return { code, signal, isOverdue, ...texts };
}

function collect(child: ChildProcess, texts: { output: string; errors: string }): void {
  child.stdout?.on('data', (chunk: Buffer) => {
    texts.output += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    texts.errors += chunk.toString();
  });
}

function describeEnd({ code, signal, isOverdue, errors }: End): string {
  const how = isOverdue ? 'did not end in time' : `ended with ${code ?? signal}`;
  return `${how}\n${errors.slice(0, 4000)}`;
}
