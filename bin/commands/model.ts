import { createReadStream } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Command } from 'commander';
import type { z } from 'zod';
import type { modelRouteJson, versionJson } from '../../core/api/schemas.ts';
import { type Connection, parseProblem, RequestRefused, request } from '../client.ts';
import { connect, type RemoteOptions, remote } from '../options.ts';
import { printResult, progress } from '../output.ts';

type Version = z.infer<typeof versionJson>;
type Route = z.infer<typeof modelRouteJson>;
type Page<T> = { readonly items: readonly T[] };

export function addModelCommands(program: Command): void {
  const model = program.command('model').description('push and look at models');
  remote(model.command('push <folder>').description('push manifest.json, model.onnx and golden.jsonl as a new version'))
    .option('--stable', 'let the new version answer callers who name none')
    .action(push);
  remote(model.command('list').description('models and their stable versions')).action(list);
  remote(model.command('show <model>').description('versions of a model')).action(show);
  remote(
    model.command('stable <model> <version>').description('choose the version that answers callers who name none'),
  ).action(setStable);
}

async function push(folder: string, options: RemoteOptions & { readonly stable?: boolean }): Promise<void> {
  const connection = await connect(options);
  const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as { name?: string };
  const modelUpload = await upload(connection, join(folder, 'model.onnx'));
  const goldenPath = join(folder, 'golden.jsonl');
  const hasGolden = await access(goldenPath).then(
    () => true,
    () => false,
  );
  const goldenUpload = hasGolden ? await upload(connection, goldenPath) : undefined;
  progress(`validating ${manifest.name ?? folder}`);
  const path = `/control/v1/models/${encodeURIComponent(manifest.name ?? '')}/versions`;
  const version = await request<Version>(connection, 'POST', path, {
    manifest,
    model_upload: modelUpload,
    ...(goldenUpload === undefined ? {} : { golden_upload: goldenUpload }),
  });
  if (options.stable)
    await request(connection, 'PUT', `/control/v1/models/${version.model}/stable`, { version: version.version });
  printVersions([version], options);
}

async function upload(connection: Connection, path: string): Promise<string> {
  const { size } = await stat(path);
  progress(`uploading ${path} (${(size / 1024 / 1024).toFixed(1)} MiB)`);
  const created = await request<{ id: string; url: string }>(connection, 'POST', '/control/v1/uploads', {});
  const response = await fetch(new URL(created.url, connection.url), {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(size) },
    body: Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>,
    duplex: 'half',
  });
  if (!response.ok) throw new RequestRefused(response.status, parseProblem(await response.text()));
  return created.id;
}

async function list(options: RemoteOptions): Promise<void> {
  const page = await request<Page<Route>>(await connect(options), 'GET', '/control/v1/models?limit=1000');
  printResult(options, page.items, ['model', 'stable version'], (each) => [each.model, each.stable ?? '-']);
}

async function show(name: string, options: RemoteOptions): Promise<void> {
  const page = await request<Page<Version>>(
    await connect(options),
    'GET',
    `/control/v1/models/${encodeURIComponent(name)}/versions`,
  );
  printVersions(page.items, options);
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

function printVersions(versions: readonly Version[], options: RemoteOptions): void {
  const head = ['model', 'version', 'MiB', 'golden pairs', 'row ms', 'load ms', 'memory MiB', 'digest', 'pushed'];
  printResult(options, versions, head, (each) => [
    each.model,
    each.version,
    Number((each.model_bytes / 1024 / 1024).toFixed(2)),
    each.validation.golden_pairs,
    Number(each.validation.row_ms.toFixed(3)),
    Math.round(each.validation.load_ms),
    Math.round(each.validation.memory_bytes / 1024 / 1024),
    each.digest.slice(0, 12),
    new Date(each.pushed_at_ms).toISOString().slice(0, 19),
  ]);
}
