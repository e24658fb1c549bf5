import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { toProblem } from '../../core/api/problem.ts';
import type { ValidationJson } from '../../core/api/validation-json.ts';
import { Failure } from '../../core/failure.ts';
import { checkPush } from '../../core/models/check-push.ts';
import { readReferenceFile } from '../../core/quality/drift/reference-file.ts';
import { SECOND_MS } from '../../core/units.ts';
import {
  type Connection,
  describeProblem,
  NoAnswer,
  noAnswer,
  type Problem,
  parseProblem,
  RequestRefused,
  request,
} from '../client.ts';
import { type Live, openLive, SILENT } from '../live.ts';
import { type FolderFile, type ModelFolder, readFolderFile, readModelFolder } from '../model-folder.ts';
import { connect, type RemoteOptions } from '../options.ts';
import { byteSize, checkLines, duration, renderReport, type VersionJson } from '../report.ts';
import { paint } from '../table.ts';

type PushOptions = RemoteOptions & { readonly stable?: boolean };

/** How a push ended; what `--json` prints. */
export type PushOutcome =
  | { readonly state: 'accepted' | 'known'; readonly version: VersionJson }
  | { readonly state: 'refused'; readonly problem: Problem; readonly validation?: ValidationJson };

const LOOK_EVERY_MS = 250;
/** A server that is started again goes on with a validation: so long it may take to come back. */
const AWAY_LIMIT_MS = 60 * SECOND_MS;

/** `sluice model push`: exit code 0 if the version is there, else 1. */
export async function pushFolder(path: string, options: PushOptions): Promise<void> {
  const live = options.json ? SILENT : openLive(process.stderr);
  const outcome = await refusable(async () => {
    const folder = await readModelFolder(path);
    for (const note of folder.notes) live.line(paint('dim', note));
    const connection = await connect(options);
    const ended = await pushModelFolder(connection, folder, live);
    if (ended.state !== 'refused' && options.stable) await makeStable(connection, ended.version);
    return ended;
  });
  live.end();
  if (outcome.state === 'refused') process.exitCode = 1;
  if (options.json) console.log(JSON.stringify(outcome, null, 2));
  else if (outcome.state === 'refused') console.error(paint('red', describeProblem(outcome.problem)));
  else console.log(describeOutcome(outcome));
}

/** Whatever goes wrong as a refusal that can be printed either way. */
async function refusable(push: () => Promise<PushOutcome>): Promise<PushOutcome> {
  try {
    return await push();
  } catch (error) {
    if (error instanceof RequestRefused) return { state: 'refused', problem: error.problem };
    if (error instanceof Failure) return { state: 'refused', problem: toProblem(error, NOT_SENT).body };
    return { state: 'refused', problem: { title: error instanceof Error ? error.message : String(error) } };
  }
}

const NOT_SENT = { instance: '', requestId: '' };

/** Uploads a folder and waits for its validation. Throws `RequestRefused` where it is refused before that. */
export async function pushModelFolder(connection: Connection, folder: ModelFolder, live: Live): Promise<PushOutcome> {
  const { manifest, model, golden, tokenizer, reference } = folder;
  const name = String(manifest.name);
  // What can be seen here is told before anything is uploaded; what the region must know it says itself.
  await checkPush(manifest, { hasTokenizer: tokenizer !== undefined });
  if (reference !== undefined) await readReferenceFile(readFolderFile(reference));
  const ids = new Map<FolderFile, string>();
  for (const file of [model, golden, tokenizer, reference]) {
    if (file !== undefined) ids.set(file, await upload(connection, file, live));
  }
  const answer = await request<VersionJson | ValidationJson>(connection, 'POST', `${modelPath(name)}/versions`, {
    manifest,
    model_upload: ids.get(model),
    golden_upload: golden && ids.get(golden),
    tokenizer_upload: tokenizer && ids.get(tokenizer),
    reference_upload: reference && ids.get(reference),
  });
  if (!('state' in answer)) return { state: 'known', version: answer };
  live.line(`validating ${name} ${paint('dim', `(${answer.id}; it goes on if you leave)`)}`);
  const validation = await follow(connection, answer, live);
  if (validation.version === null) {
    return { state: 'refused', problem: (validation.problem ?? {}) as Problem, validation };
  }
  const version = await request<VersionJson>(connection, 'GET', `${modelPath(name)}/versions/${validation.version}`);
  return { state: 'accepted', version };
}

async function upload(connection: Connection, file: FolderFile, live: Live): Promise<string> {
  const created = await request<{ id: string; url: string }>(connection, 'POST', '/control/v1/uploads', {});
  const size = byteSize(file.sizeBytes);
  let sentBytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of readFolderFile(file)) {
      sentBytes += chunk.length;
      live.doing(`uploading ${file.name}, ${size}: ${Math.floor((100 * sentBytes) / file.sizeBytes)} %`);
      yield chunk;
    }
  }
  const response = await fetch(new URL(created.url, connection.url), {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(file.sizeBytes) },
    body: Readable.toWeb(Readable.from(counted())) as ReadableStream<Uint8Array>,
    duplex: 'half',
  }).catch((cause: unknown) => {
    throw noAnswer(connection.url, cause);
  });
  if (!response.ok) throw new RequestRefused(response.status, parseProblem(await response.text()));
  live.line(`uploaded ${file.name} ${paint('dim', `(${size})`)}`);
  return created.id;
}

/** Shows each check as it is made until the validation has ended. */
async function follow(connection: Connection, from: ValidationJson, live: Live): Promise<ValidationJson> {
  const path = `${modelPath(from.model)}/validations/${from.id}`;
  let validation = from;
  let shown = 0;
  for (;;) {
    // A validation that was cut short begins again.
    if (validation.checks.length < shown) {
      live.line(paint('yellow', 'the validation was cut short and begins again'));
      shown = 0;
    }
    for (const check of validation.checks.slice(shown)) for (const line of checkLines(check)) live.line(line);
    shown = validation.checks.length;
    if (validation.state === 'accepted' || validation.state === 'refused') return validation;
    live.doing(validation.progress ?? 'waiting for its turn');
    await delay(LOOK_EVERY_MS);
    validation = await readUntilAnswered(connection, path, live);
  }
}

async function readUntilAnswered(connection: Connection, path: string, live: Live): Promise<ValidationJson> {
  const untilMs = performance.now() + AWAY_LIMIT_MS;
  for (;;) {
    try {
      return await request<ValidationJson>(connection, 'GET', path);
    } catch (error) {
      const passes = error instanceof NoAnswer || (error instanceof RequestRefused && error.status === 503);
      if (!passes || performance.now() > untilMs) throw error;
      live.doing('the server does not answer; what it has accepted it keeps');
      await delay(SECOND_MS);
    }
  }
}

async function makeStable(connection: Connection, { model, version }: VersionJson): Promise<void> {
  await request(connection, 'PUT', `${modelPath(model)}/stable`, { version });
}

function modelPath(model: string): string {
  return `/control/v1/models/${encodeURIComponent(model)}`;
}

function describeOutcome({ state, version }: Extract<PushOutcome, { version: VersionJson }>): string {
  const name = paint('bold', `${version.model} version ${version.version}`);
  const pushed = new Date(version.pushed_at_ms).toISOString().slice(0, 19);
  const what =
    state === 'known'
      ? `${name} is this already (pushed ${pushed}): nothing was added`
      : `${paint('green', '✓')} ${name} was added, validated in ${duration(version.validation.took_ms)}`;
  return `${what}\n${renderReport(version.validation, version.manifest)}`;
}
