import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { SampleCredentials } from '../../embedded/sample-data.ts';
import { writeBadFolders } from '../../models/bad-folders.ts';
import type { ManifestFile } from '../../models/model-folder.ts';
import { type Connection, RequestRefused } from '../client.ts';
import { descendantsOf } from '../descendants.ts';
import { openLive, SILENT } from '../live.ts';
import { readModelFolder } from '../model-folder.ts';
import { duration } from '../report.ts';
import { paint, renderTable } from '../table.ts';
import { type PushOutcome, pushModelFolder } from './model-push.ts';

/** What the tour needs of the running platform. */
export type ModelsTour = {
  readonly credentials: SampleCredentials;
  readonly operator: Connection;
  /** Folders of sample models: of texts to a sentiment, and others that are sound. */
  readonly sentiment: string;
  readonly sound: readonly string[];
};

type Trial = { readonly name: string; readonly folder: string; readonly expected: string; readonly why: string };

const KILLING_MS = 4000;
/** A process takes 130 ms to start, so few live long enough to answer. */
const KILL_EVERY_MS = 40;
const RECOVERY_LIMIT_MS = 30_000;

/** Pushes good and bad folders, kills a model under load, and asks a cached one as two tenants. True if all went as it should. */
export async function runModelsDemo(tour: ModelsTour): Promise<boolean> {
  const scratch = await mkdtemp(join(tmpdir(), 'sluice-demo-'));
  try {
    const pushed = await pushTrials(tour, scratch);
    const bridged = await killRepeatedly(tour, scratch);
    const cached = await askTwice(tour, scratch);
    return pushed && bridged && cached;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function pushTrials({ operator, sound }: ModelsTour, scratch: string): Promise<boolean> {
  const why = 'A sample model: nothing is wrong with it.';
  const good = sound.map((folder) => ({ name: folder, folder, expected: 'accepted', why }));
  const trials: readonly Trial[] = [...good, ...(await writeBadFolders(scratch))];
  const live = openLive(process.stderr);
  const rows: string[][] = [];
  let allAsExpected = true;
  for (const [at, trial] of trials.entries()) {
    const { manifest } = await readModelFolder(trial.folder);
    live.doing(`pushing ${String(manifest.name)}, ${at + 1} of ${trials.length}`);
    const startedMs = performance.now();
    const outcome = await pushOutcome(operator, trial.folder);
    const isExpected = verdictOf(outcome) === trial.expected;
    allAsExpected &&= isExpected;
    rows.push([
      isExpected ? paint('green', 'ok') : paint('red', 'NOT AS EXPECTED'),
      String(manifest.name),
      verdictOf(outcome),
      duration(performance.now() - startedMs),
      wrap(reasonOf(outcome), 70),
    ]);
  }
  live.end();
  console.log(paint('bold', '\nTwo sound models, and folders as they really come'));
  console.log(renderTable(['', 'model', 'verdict', 'took', 'reason'], rows));
  return allAsExpected;
}

async function pushOutcome(operator: Connection, path: string): Promise<PushOutcome> {
  try {
    return await pushModelFolder(operator, await readModelFolder(path), SILENT);
  } catch (error) {
    if (error instanceof RequestRefused) return { state: 'refused', problem: error.problem };
    throw error;
  }
}

function verdictOf(outcome: PushOutcome): string {
  return outcome.state === 'refused' ? (outcome.problem.code ?? '?') : 'accepted';
}

function reasonOf(outcome: PushOutcome): string {
  if (outcome.state === 'refused') {
    const { detail, problems } = outcome.problem;
    return [detail, ...(problems ?? [])].filter((part) => part !== undefined).join('; ');
  }
  const { validation } = outcome.version;
  const odd = validation.checks.filter((check) => check.outcome !== 'passed' && check.outcome !== 'skipped');
  return odd.length === 0 ? `version ${outcome.version.version}, nothing to say against it` : odd[0]!.detail;
}

/** The processes that run models are killed again and again; its fallback answers what the model cannot. */
async function killRepeatedly(tour: ModelsTour, scratch: string): Promise<boolean> {
  const answer = { label: ['neutral'], probabilities: [0, 1, 0] };
  const model = await pushChanged(tour, scratch, { name: 'sentiment-bridged', fallback: { outputs: answer } });
  const counts = new Map<string, number>();
  const killer = killRunners();
  const untilMs = performance.now() + KILLING_MS;
  let asked = 0;
  for (; performance.now() < untilMs; asked += 1) {
    // Never the same text twice: one that two processes died on is refused from then on.
    const response = await ask(tour, 'acme', model, `parcel ${asked} has not come`);
    count(counts, response.status === 200 ? (response.headers.get('sluice-degraded') ?? '') : String(response.status));
    await response.body?.cancel();
    await delay(10);
  }
  const kills = await killer.stop();
  const recoveredMs = await untilUndegraded(tour, model);
  const rows = [...counts].map(([how, answers]) => [howAnswered(how), answers]);
  console.log(paint('bold', `\n${asked} requests while its processes were killed ${kills} times`));
  console.log(renderTable(['who answered', 'requests'], rows));
  console.log(
    recoveredMs === undefined
      ? 'the model did not come back'
      : `the model answers again after ${duration(recoveredMs)}`,
  );
  const refused = [...counts.keys()].filter((how) => /^\d+$/.test(how));
  return kills > 0 && counts.size > 1 && refused.length === 0 && recoveredMs !== undefined;
}

function howAnswered(how: string): string {
  if (how === '') return 'the model itself';
  return /^\d+$/.test(how) ? paint('red', `status ${how}`) : `its fallback, Sluice-Degraded: ${how}`;
}

function killRunners(): { stop(): Promise<number> } {
  const stopped = new AbortController();
  let kills = 0;
  const killing = (async () => {
    while (!stopped.signal.aborted) {
      for (const pid of descendantsOf(process.pid)) {
        if ((await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).includes('runner.ts')) {
          kills += 1;
          process.kill(pid, 'SIGKILL');
        }
      }
      await delay(KILL_EVERY_MS, undefined, { signal: stopped.signal }).catch(() => {});
    }
  })();
  return {
    async stop() {
      stopped.abort();
      await killing;
      return kills;
    },
  };
}

async function untilUndegraded(tour: ModelsTour, model: string): Promise<number | undefined> {
  const startedMs = performance.now();
  for (let asked = 0; performance.now() - startedMs < RECOVERY_LIMIT_MS; asked += 1) {
    const response = await ask(tour, 'acme', model, `where is parcel ${asked}`);
    await response.body?.cancel();
    if (response.status === 200 && !response.headers.has('sluice-degraded')) return performance.now() - startedMs;
    await delay(100);
  }
  return undefined;
}

/** The same text, from cache for the tenant that asked before and computed for another. */
async function askTwice(tour: ModelsTour, scratch: string): Promise<boolean> {
  const model = await pushChanged(tour, scratch, { name: 'sentiment-cached', cache: { seconds: 600 } });
  const text = `the invoice of ${new Date().toISOString()} is wrong`;
  const seen: string[] = [];
  const rows: string[][] = [];
  for (const tenant of ['acme', 'acme', 'initech']) {
    const startedMs = performance.now();
    const response = await ask(tour, tenant, model, text);
    await response.text();
    const cache = response.headers.get('sluice-cache') ?? '';
    seen.push(cache);
    rows.push([tenant, String(response.status), cache, duration(performance.now() - startedMs)]);
  }
  console.log(paint('bold', '\nThe same text, asked by two tenants'));
  console.log(renderTable(['tenant', 'status', 'Sluice-Cache', 'took'], rows));
  return seen.join() === 'miss,hit,miss';
}

/** The sentiment model under another manifest. Returns its name. */
async function pushChanged(tour: ModelsTour, scratch: string, changes: ManifestFile): Promise<string> {
  const folder = join(scratch, changes.name);
  await cp(tour.sentiment, folder, { recursive: true });
  const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as ManifestFile;
  await writeFile(join(folder, 'manifest.json'), JSON.stringify({ ...manifest, ...changes }));
  const outcome = await pushOutcome(tour.operator, folder);
  if (outcome.state === 'refused') throw new Error(`${changes.name} was refused: ${reasonOf(outcome)}`);
  return changes.name;
}

function ask({ credentials }: ModelsTour, tenant: string, model: string, text: string): Promise<Response> {
  const { url, apiKey } = credentials.tenants.find((each) => each.tenant === tenant)!;
  const body = { inputs: [{ name: 'text', shape: [1], datatype: 'BYTES', data: [text] }] };
  return fetch(new URL(`/v2/models/${model}/infer`, url), {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

/** Breaks a sentence at spaces, for a column of a table. */
function wrap(text: string, width: number): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1)!;
    if (last !== '' && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.join('\n');
}
