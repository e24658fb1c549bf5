import { Failure } from '../failure.ts';
import type { Platform } from '../ports/platform.ts';
import { readReferenceFile } from '../quality/drift/reference-file.ts';
import { expectSettable } from '../release/check-start.ts';
import { GIB, MIB } from '../units.ts';
import { checkPush } from './check-push.ts';
import { digestOf, findVersion, serveFirst } from './known-version.ts';
import { parseGolden } from './parse-golden.ts';
import { type RunOptions, runNextValidation, type ValidatorPorts } from './run-validation.ts';
import { KEPT_MS, refusalOf, type ValidationRecord } from './validation-record.ts';
import type { ModelRoute, ModelVersion } from './version.ts';

type Bytes = AsyncIterable<Uint8Array>;

export type Push = {
  readonly manifest: unknown;
  readonly modelBytes: Bytes;
  readonly golden?: Bytes | undefined;
  readonly tokenizer?: Bytes | undefined;
  /** What it answered to rows that it was not fitted on: `reference.json`. */
  readonly reference?: Bytes | undefined;
  /** The model that the caller names; undefined: whatever the manifest says. */
  readonly model?: string | undefined;
  /** Principal id. */
  readonly pushedBy: string;
};

export type Acceptance =
  /** The same was pushed before: nothing is added. */
  | { readonly kind: 'known'; readonly version: ModelVersion }
  /** Durable: it ends in a version or in a refusal. Another push's if that is the same and has not ended yet. */
  | { readonly kind: 'validating'; readonly record: ValidationRecord };

/** `added` is false if the same was pushed before. */
export type Pushed = { readonly version: ModelVersion; readonly added: boolean };

type AcceptPorts = Pick<Platform, 'artifacts' | 'registry' | 'validations' | 'clock' | 'config' | 'log'>;

/** One protobuf message, which ends at 2 GiB. */
export const MOST_MODEL_BYTES = 2 * GIB;
/** The largest tokenizers of published models are just below it. */
export const MOST_TOKENIZER_BYTES = 32 * MIB;
/** Between looks at a validation that somebody else runs. */
const LOOK_EVERY_MS = 25;

/**
 * Checks what can be checked without running the model, stores the files and has the push validated. Throws
 * `manifest-invalid` (every problem at once), `golden-invalid`, `model-invalid` (empty), `tokenizer-invalid` (empty), `reference-invalid` (every problem at once),
 * `body-too-large`.
 */
export async function acceptPush(ports: AcceptPorts, push: Push): Promise<Acceptance> {
  const hasTokenizer = push.tokenizer !== undefined;
  const manifest = await checkPush(push.manifest, { model: push.model, hasTokenizer }, ports);
  const goldenDigest = push.golden && (await storeGolden(ports, push.golden));
  const tokenizerDigest = push.tokenizer && (await storeTokenizer(ports, push.tokenizer));
  const referenceDigest = push.reference && (await storeReference(ports, push.reference));
  const stored = await ports.artifacts.store(atMost(push.modelBytes, MOST_MODEL_BYTES, 'model'));
  if (stored.sizeBytes === 0) throw new Failure('model-invalid', { detail: 'the model file is empty' });
  const files = { manifest, modelDigest: stored.digest, goldenDigest, tokenizerDigest, referenceDigest };
  const digest = digestOf(files);
  const version = await findVersion(ports, manifest.name, digest);
  if (version !== undefined) {
    await serveFirst(ports, version);
    return { kind: 'known', version };
  }
  const nowMs = Math.floor(ports.clock.nowMs());
  const record = await ports.validations.add({
    id: `val_${crypto.randomUUID().replaceAll('-', '')}`,
    model: manifest.name,
    ...files,
    modelBytes: stored.sizeBytes,
    digest,
    pushedBy: push.pushedBy,
    createdAtMs: nowMs,
    expiresAtMs: nowMs + KEPT_MS,
    state: { kind: 'queued' },
    checks: [],
    epoch: 1,
  });
  ports.log.info('push accepted', { model: record.model, validation: record.id, modelBytes: stored.sizeBytes });
  return { kind: 'validating', record };
}

/**
 * Pushes and waits for the version, validating here what nobody else does. Throws what `acceptPush` does and what
 * validation refuses the model for.
 */
export async function pushVersion(
  ports: AcceptPorts & ValidatorPorts,
  push: Push,
  options: RunOptions = {},
): Promise<Pushed> {
  const accepted = await acceptPush(ports, push);
  if (accepted.kind === 'known') return { version: accepted.version, added: false };
  const { id, model } = accepted.record;
  for (;;) {
    const record = await readValidation(ports, model, id);
    const refusal = refusalOf(record);
    if (refusal !== undefined) throw refusal;
    if (record.state.kind === 'accepted') {
      const version = await ports.registry.readVersion(model, record.state.version);
      if (version === undefined) throw new Error(`validation ${id} names a version that is not there`);
      return { version, added: true };
    }
    const ran = await runNextValidation(ports, options);
    if (ran === undefined) await ports.clock.sleep(LOOK_EVERY_MS);
  }
}

/** Throws `validation-unknown`, also for one of another model or past its time. */
export async function readValidation(
  ports: Pick<Platform, 'validations' | 'clock'>,
  model: string,
  id: string,
): Promise<ValidationRecord> {
  const record = await ports.validations.read(id);
  if (record === undefined || record.model !== model || record.expiresAtMs <= ports.clock.nowMs()) {
    throw new Failure('validation-unknown', { field: 'validation' });
  }
  return record;
}

/**
 * Makes a version the one that answers who names none. `model-unknown`, `version-unknown`; `state-conflict` if `epoch` is
 * given and is not the stored one, if somebody else changed it meanwhile, or while a release of the model decides (`release`).
 */
export async function setStable(
  ports: Pick<Platform, 'registry' | 'releases' | 'clock' | 'log'>,
  model: string,
  version: string,
  epoch?: number,
): Promise<ModelRoute> {
  const route = await ports.registry.readRoute(model);
  if (route === undefined) throw new Failure('model-unknown', { model });
  if (epoch !== undefined && epoch !== route.epoch) throw new Failure('state-conflict', { epoch: route.epoch });
  if (route.stable === version) return route;
  if ((await ports.registry.readVersion(model, version)) === undefined) {
    throw new Failure('version-unknown', { model, version });
  }
  await expectSettable(ports, model, version);
  const changed = { model, stable: version, epoch: route.epoch + 1 };
  await ports.registry.writeRoute(changed);
  ports.log.info('stable version changed', { model, version, before: route.stable });
  return changed;
}

async function storeGolden(ports: Pick<Platform, 'artifacts'>, bytes: Bytes): Promise<string> {
  const { pairs, file } = await parseGolden(bytes);
  if (pairs.length === 0) {
    throw new Failure('golden-invalid', { detail: 'it holds no pair; leave the file out if you have none' });
  }
  return (await ports.artifacts.store(whole(file))).digest;
}

async function storeReference(ports: Pick<Platform, 'artifacts'>, bytes: Bytes): Promise<string> {
  return (await ports.artifacts.store(whole((await readReferenceFile(bytes)).file))).digest;
}

async function storeTokenizer(ports: Pick<Platform, 'artifacts'>, bytes: Bytes): Promise<string> {
  const { digest, sizeBytes } = await ports.artifacts.store(atMost(bytes, MOST_TOKENIZER_BYTES, 'tokenizer'));
  if (sizeBytes === 0) throw new Failure('tokenizer-invalid', { detail: 'the file is empty' });
  return digest;
}

async function* whole(file: Uint8Array): AsyncGenerator<Uint8Array> {
  yield file;
}

/** The bytes; throws `body-too-large` at the first one beyond the limit. */
async function* atMost(bytes: Bytes, limitBytes: number, field: string): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of bytes) {
    length += chunk.length;
    if (length > limitBytes) throw new Failure('body-too-large', { field, limitBytes });
    yield chunk;
  }
}
