import { asFailure, FAILURES, Failure } from '../failure.ts';
import type { Platform } from '../ports/platform.ts';
import { checkReference, readReferenceFile } from '../quality/drift/reference-file.ts';
import { SECOND_MS } from '../units.ts';
import { checkFallbackModel } from './check-fallback.ts';
import { HeldRecord, LEASE_MS } from './held-record.ts';
import { findVersion, serveFirst } from './known-version.ts';
import { parseGolden } from './parse-golden.ts';
import { sandboxUntil } from './sandbox-until.ts';
import { validateModel } from './validate.ts';
import { KEPT_MS, type RunningRecord, type ValidationRecord } from './validation-record.ts';
import type { ModelVersion } from './version.ts';

export type ValidatorPorts = Pick<
  Platform,
  'artifacts' | 'registry' | 'validations' | 'sandbox' | 'graphs' | 'tokenizers' | 'clock' | 'config' | 'log'
>;

export type Validate = typeof validateModel;

export type RunOptions = {
  /** Aborting kills the model's process and gives the record back as it was; the attempt does not count. */
  readonly signal?: AbortSignal | undefined;
  /** What looks at the model. */
  readonly validate?: Validate | undefined;
};

/** One kill may be the machine's, two a coincidence; after three the push is taken to be the cause. */
const MOST_ATTEMPTS = 3;
/** Before another attempt where storage, or something else that passes, failed. */
const AGAIN_AFTER_MS = 2 * SECOND_MS;

/**
 * Validates the oldest push that nobody works on, and adds its version if it is good; undefined if there was none, else the record
 * as it was left. The version is the last write but one: whoever takes the record after a crash finds it by its digest,
 * so that nothing is added twice. Throws what keeps the record itself from being written.
 */
export async function runNextValidation(
  ports: ValidatorPorts,
  { signal, validate = validateModel }: RunOptions = {},
): Promise<ValidationRecord | undefined> {
  const nowMs = ports.clock.nowMs();
  const taken = await ports.validations.take(nowMs, nowMs + LEASE_MS);
  if (taken === undefined) return undefined;
  const held = new HeldRecord(ports, taken as RunningRecord, signal);
  try {
    const left = await decide(ports, held, validate).catch((error: unknown) => afterFailure(ports, held, error));
    return left === undefined ? held.record : await held.leave(left);
  } finally {
    await held.release();
  }
}

type Left = { readonly state: ValidationRecord['state'] } & Partial<Pick<ValidationRecord, 'checks' | 'expiresAtMs'>>;

async function decide(ports: ValidatorPorts, held: HeldRecord, validate: Validate): Promise<Left> {
  const { record } = held;
  // A crash may have come between the version and the record.
  const known = await findVersion(ports, record.model, record.digest);
  if (known !== undefined) return accept(ports, known);
  if (record.state.attempts > MOST_ATTEMPTS) {
    throw new Failure('validation-failed', {
      detail: `${MOST_ATTEMPTS} attempts were cut short: the process that validates ended or failed each time`,
    });
  }
  return accept(ports, await addVersion(ports, held, validate));
}

async function accept(ports: ValidatorPorts, version: ModelVersion): Promise<Left> {
  await serveFirst(ports, version);
  const { model, validation } = version;
  ports.log.info('version added', { model, version: version.version, tookMs: validation.tookMs });
  return {
    state: { kind: 'accepted', version: version.version },
    checks: validation.checks,
    expiresAtMs: Math.floor(ports.clock.nowMs()) + KEPT_MS,
  };
}

/** How the record is left; undefined if it is another's by now. */
function afterFailure(ports: ValidatorPorts, held: HeldRecord, error: unknown): Left | undefined {
  const { record, checks } = held;
  if (held.isLost) return undefined;
  if (held.isStopped) return { state: { kind: 'queued' }, checks: [] };
  const { code, facts } = asFailure(error);
  const { model, id: validation } = record;
  const nowMs = ports.clock.nowMs();
  if (FAILURES[code].retryable && code !== 'validation-failed') {
    ports.log.error('a validation is tried again', error, { model, validation, attempts: record.state.attempts });
    return { state: { ...record.state, leaseUntilMs: nowMs + AGAIN_AFTER_MS }, checks: [] };
  }
  ports.log.info('push refused', { model, validation, code });
  return { state: { kind: 'refused', code, facts }, checks, expiresAtMs: Math.floor(nowMs) + KEPT_MS };
}

async function addVersion(ports: ValidatorPorts, held: HeldRecord, validate: Validate): Promise<ModelVersion> {
  const { record } = held;
  const { manifest, modelDigest, goldenDigest, tokenizerDigest, referenceDigest } = record;
  const golden = goldenDigest === undefined ? [] : (await parseGolden(ports.artifacts.open(goldenDigest))).pairs;
  const tokenizer = tokenizerDigest === undefined ? undefined : await ports.tokenizers.open(tokenizerDigest);
  const path = await ports.artifacts.fetch(modelDigest);
  const sandbox = sandboxUntil(held.signal, ports.sandbox);
  const { usdPerComputeHour } = ports.config;
  const found = await validate(
    { ...ports, sandbox },
    { path, manifest, golden, tokenizer, usdPerComputeHour },
    (checks, doing) => held.report(checks, doing),
  );
  try {
    await checkFallback(ports, manifest, found.signature);
    if (referenceDigest !== undefined)
      checkReference((await readReferenceFile(ports.artifacts.open(referenceDigest))).profile, found.signature);
    // Whoever has taken the record since will add the version, or refuse the model, by its own findings.
    await held.expectHeld('adding the version');
    const { prepared } = found;
    const repaired = prepared.path === path ? undefined : await ports.artifacts.storeFile(prepared.path);
    const added = {
      model: record.model,
      modelDigest: repaired?.digest ?? modelDigest,
      modelBytes: repaired?.sizeBytes ?? record.modelBytes,
      goldenDigest,
      tokenizerDigest,
      referenceDigest,
      digest: record.digest,
      manifest,
      signature: found.signature,
      graphSignature: found.graphSignature,
      validation: found.validation,
      pushedBy: record.pushedBy,
      pushedAtMs: record.createdAtMs,
    };
    const { version } = await ports.registry.addVersion(added);
    return { ...added, version };
  } finally {
    await found.prepared.discard();
  }
}

async function checkFallback(
  { registry }: ValidatorPorts,
  manifest: ValidationRecord['manifest'],
  signature: ModelVersion['signature'],
): Promise<void> {
  const { fallback } = manifest;
  if (fallback === undefined || !('model' in fallback)) return;
  const stable = (await registry.readRoute(fallback.model))?.stable;
  const target = stable === undefined ? undefined : await registry.readVersion(fallback.model, stable);
  const problems = target === undefined ? [] : checkFallbackModel(manifest, signature, target.signature);
  if (problems.length > 0) throw new Failure('manifest-invalid', { problems });
}
