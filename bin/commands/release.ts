import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type {
  ReleaseAuditJson,
  ReleaseDetailJson,
  ReleaseJson,
  ReleaseStartedJson,
  ReleaseVerbJson,
} from '../../core/api/release-json.ts';
import { RELEASE_ID } from '../../core/release/release-id.ts';
import { type Connection, request } from '../client.ts';
import { connect, type RemoteOptions, remote } from '../options.ts';
import { printResult, progress } from '../output.ts';
import { nowLine, renderRelease, titleOf } from '../release-report.ts';
import { addNotifyCommands } from './release-notify.ts';
import { openScreen, watchRelease } from './release-watch.ts';

type Page<T> = { readonly items: readonly T[]; readonly next: string | null };
type Reasoned = RemoteOptions & { readonly reason: string };
type StartOptions = Reasoned & { readonly plan?: string; readonly once?: string; readonly watch?: boolean };

const REASON = 'given at the command line';

/** `sluice release`: `watch` exits with 1 if the release is rolled back. A release is named by its id, or by its model: the latest one. */
export function addReleaseCommands(program: Command): void {
  const release = program.command('release').description('take a version from nobody to everybody, and back');
  reasoned(release.command('start <model> <version>').description('compare on golden pairs, then start its first step'))
    .option('--plan <file>', 'JSON file with a plan (default: the manifest\u2019s, or that of docs/releases.md)')
    .option('--once <id>', 'names the request: sent again it starts nothing new')
    .option('--watch', 'show it until it ends')
    .action(start);
  remote(release.command('list <model>').description('releases of a model, the newest first')).action(list);
  remote(
    release.command('show <release>').description('where it is, both versions\u2019 numbers, and the verdict'),
  ).action(show);
  remote(
    release.command('watch <release>').description('show it until it ends; exit code 1 if it is rolled back'),
  ).action(watch);
  remote(release.command('audits <release>').description('who did what, when and why')).action(audits);
  addVerbs(release);
  addNotifyCommands(release);
}

function addVerbs(release: Command): void {
  reasoned(release.command('promote <release>').description('on to the next step; ends the watch'))
    .option('--full', 'to everybody, past holds and verdicts, never past a gate')
    .action((name: string, options: Reasoned & { readonly full?: boolean }) =>
      give(name, options, { verb: options.full ? 'promote-full' : 'promote' }),
    );
  const plain = {
    pause: 'stop the clock, with the traffic as it is',
    resume: 'let the clock go on',
    abort: 'back to stable, from any state',
    approve: 'one person\u2019s word at a gate',
  };
  for (const [verb, description] of Object.entries(plain)) {
    reasoned(release.command(`${verb} <release>`).description(description)).action((name: string, options: Reasoned) =>
      give(name, options, { verb }),
    );
  }
  reasoned(release.command('retry <release>').description('again from the start, after a rollback')).action(
    (name: string, options: Reasoned) => give(name, options, { verb: 'retry' }),
  );
  reasoned(release.command('undo <release>').description('to any version that is kept'))
    .option('--to <version>', 'default: what was stable before')
    .action((name: string, options: Reasoned & { readonly to?: string }) =>
      give(name, options, { verb: 'undo', version: options.to }),
    );
}

function reasoned(command: Command): Command {
  return remote(command).option('--reason <text>', 'why, for the audit', REASON);
}

async function start(model: string, version: string, options: StartOptions): Promise<void> {
  const plan = options.plan === undefined ? undefined : await readPlan(options.plan);
  progress(`comparing version ${version} of ${model} with the stable one on golden pairs`);
  const connection = await connect(options);
  const headers: Record<string, string> =
    options.once === undefined ? {} : { 'idempotency-key': JSON.stringify(options.once) };
  const body = { version, plan, reason: options.reason };
  const started = await request<ReleaseStartedJson>(connection, 'POST', releasesOf(model), body, headers);
  if (options.json && !options.watch) console.log(JSON.stringify(started, null, 2));
  else if (!options.json) console.log(`${titleOf(started)}\n  golden pairs: ${started.golden}\n  ${nowLine(started)}`);
  if (options.watch) await watchById(connection, started.id, options);
}

async function readPlan(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (cause) {
    throw new Error(`${path} cannot be read as JSON: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

async function list(model: string, options: RemoteOptions): Promise<void> {
  const { items } = await request<Page<ReleaseJson>>(await connect(options), 'GET', `${releasesOf(model)}?limit=100`);
  printResult(options, items, ['release', 'version', 'over', 'started', 'by', 'now'], (each) => [
    each.id,
    each.candidate,
    each.stable,
    timeOf(each.started_at_ms),
    each.started_by,
    nowLine(each),
  ]);
}

async function show(name: string, options: RemoteOptions): Promise<void> {
  const connection = await connect(options);
  const release = await read(connection, await idOf(connection, name));
  console.log(options.json ? JSON.stringify(release, null, 2) : renderRelease(release));
}

async function watch(name: string, options: RemoteOptions): Promise<void> {
  const connection = await connect(options);
  await watchById(connection, await idOf(connection, name), options);
}

async function watchById(connection: Connection, id: string, options: RemoteOptions): Promise<void> {
  // With --json stdout is for what it came to.
  const screen = openScreen(options.json ? process.stderr : process.stdout);
  const sleep = async (ms: number) => void (await delay(ms));
  const ended = await watchRelease({ read: () => read(connection, id), sleep, nowMs: Date.now, screen });
  if (options.json) console.log(JSON.stringify(ended, null, 2));
  if (ended.state === 'rolled-back') process.exitCode = 1;
}

async function audits(name: string, options: RemoteOptions): Promise<void> {
  const connection = await connect(options);
  const id = await idOf(connection, name);
  const items: ReleaseAuditJson[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const after: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const path = `/control/v1/releases/${id}/audits?limit=1000${after}`;
    const page: Page<ReleaseAuditJson> = await request(connection, 'GET', path);
    items.push(...page.items);
    cursor = page.next;
  }
  printResult(options, items, ['when', 'who', 'what', 'why'], (each) => [
    timeOf(each.at_ms),
    each.by,
    each.what,
    each.why,
  ]);
}

async function give(
  name: string,
  options: Reasoned,
  verb: { readonly verb: string; readonly version?: string | undefined },
): Promise<void> {
  const connection = await connect(options);
  const id = await idOf(connection, name);
  const body = { ...verb, reason: options.reason, id: crypto.randomUUID() };
  const given = await request<ReleaseVerbJson>(connection, 'POST', `/control/v1/releases/${id}/verbs`, body);
  if (options.json) console.log(JSON.stringify(given, null, 2));
  else console.log(`${titleOf(given)}\n  ${given.applied ? '' : 'it was so already: '}${nowLine(given)}`);
}

function read(connection: Connection, id: string): Promise<ReleaseDetailJson> {
  return request(connection, 'GET', `/control/v1/releases/${encodeURIComponent(id)}`);
}

async function idOf(connection: Connection, name: string): Promise<string> {
  if (RELEASE_ID.test(name)) return name;
  const { items } = await request<Page<ReleaseJson>>(connection, 'GET', `${releasesOf(name)}?limit=1`);
  if (items[0] === undefined) throw new Error(`There has been no release of ${name}.`);
  return items[0].id;
}

function releasesOf(model: string): string {
  return `/control/v1/models/${encodeURIComponent(model)}/releases`;
}

function timeOf(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 19);
}
