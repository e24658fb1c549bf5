import type { Command } from 'commander';
import type { z } from 'zod';
import type { modelRouteJson } from '../../core/api/schemas.ts';
import { request } from '../client.ts';
import { connect, type RemoteOptions, remote } from '../options.ts';
import { printResult } from '../output.ts';
import { byteSize, checkLines, duration, renderReport, type VersionJson } from '../report.ts';
import { paint } from '../table.ts';
import { pushFolder } from './model-push.ts';
import { validateFolder } from './model-validate.ts';
import { addReplayCommand } from './replay.ts';

type Route = z.infer<typeof modelRouteJson>;
type Page<T> = { readonly items: readonly T[] };

export function addModelCommands(program: Command): void {
  const model = program.command('model').description('push and look at models');
  remote(model.command('push <folder>').description('have a model validated and added as a new version'))
    .option('--stable', 'let the new version answer callers who name none')
    .action(pushFolder);
  model
    .command('validate <folder>')
    .description('do what a push does, on this machine and without adding anything')
    .option('--json', 'print JSON')
    .action(validateFolder);
  remote(model.command('list').description('models and their stable versions')).action(list);
  remote(model.command('show <model>').description('versions of a model, and what validation found of one'))
    .option('--version <n>', 'that version alone')
    .action(show);
  remote(
    model.command('stable <model> <version>').description('choose the version that answers callers who name none'),
  ).action(setStable);
  addReplayCommand(model);
}

async function list(options: RemoteOptions): Promise<void> {
  const page = await request<Page<Route>>(await connect(options), 'GET', '/control/v1/models?limit=1000');
  printResult(options, page.items, ['model', 'stable version'], (each) => [each.model, each.stable ?? '-']);
}

async function show(name: string, options: RemoteOptions & { readonly version?: string }): Promise<void> {
  const connection = await connect(options);
  const path = `/control/v1/models/${encodeURIComponent(name)}/versions`;
  if (options.version !== undefined) {
    const version = await request<VersionJson>(connection, 'GET', `${path}/${encodeURIComponent(options.version)}`);
    if (options.json) console.log(JSON.stringify(version, null, 2));
    else printReport(version);
    return;
  }
  const { items } = await request<Page<VersionJson>>(connection, 'GET', `${path}?limit=1000`);
  printVersions(items, options);
  const newest = items.at(-1);
  if (newest !== undefined && !options.json) printReport(newest);
}

async function setStable(name: string, version: string, options: RemoteOptions): Promise<void> {
  const route = await request<Route>(
    await connect(options),
    'PUT',
    `/control/v1/models/${encodeURIComponent(name)}/stable`,
    { version },
  );
  printResult(options, [route], ['model', 'stable version'], (each) => [each.model, each.stable ?? '-']);
}

function printVersions(versions: readonly VersionJson[], options: RemoteOptions): void {
  const head = ['model', 'version', 'size', 'golden pairs', 'a row takes', 'memory', 'batch-mates', 'digest', 'pushed'];
  printResult(options, versions, head, ({ validation, ...each }) => [
    each.model,
    each.version,
    byteSize(each.model_bytes),
    validation.golden_pairs,
    duration(validation.row_ms),
    byteSize(validation.memory_bytes),
    validation.batch_mates.verdict,
    each.digest.slice(0, 12),
    new Date(each.pushed_at_ms).toISOString().slice(0, 19),
  ]);
}

function printReport({ model, version, validation, manifest }: VersionJson): void {
  console.log(paint('bold', `${model} version ${version}`));
  for (const check of validation.checks) for (const line of checkLines(check)) console.log(line);
  console.log(renderReport(validation, manifest));
}
