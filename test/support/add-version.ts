import { checkAgainstSignature, parseManifest } from '../../core/models/check-manifest.ts';
import { digestOf, findVersion, serveFirst } from '../../core/models/known-version.ts';
import { parseGolden } from '../../core/models/parse-golden.ts';
import { publicSignature } from '../../core/models/tokenized-signature.ts';
import type { ModelVersion } from '../../core/models/version.ts';
import type { Platform } from '../../core/ports/platform.ts';
import type { SandboxedModel } from '../../core/ports/sandbox.ts';
import { GIB, SECOND_MS } from '../../core/units.ts';
import type { ModelFiles } from './bad-models.ts';
import { aValidation } from './jobs.ts';

type Ports = Pick<Platform, 'artifacts' | 'registry' | 'sandbox' | 'clock'>;

const LIMITS = { memoryBytes: 8 * GIB, loadMs: 60 * SECOND_MS };
/** Runs that a row's time is taken from. */
const TRIES = 3;

/**
 * Adds a version as a push does, but without validating it, which takes seconds: for tests of what comes after. Models that
 * validation would refuse are taken too. The report is that of a sound model, but for the signature, the memory and the
 * time of the first golden pair. The same again is the same version; the first of a model is its stable one.
 */
export async function addVersion(ports: Ports, files: ModelFiles, pushedBy: string): Promise<ModelVersion> {
  const manifest = parseManifest(files.manifest);
  const { digest: modelDigest, sizeBytes: modelBytes } = await store(ports, files.model);
  const goldenDigest = files.golden === '' ? undefined : (await store(ports, Buffer.from(files.golden))).digest;
  const tokenizerDigest = files.tokenizer && (await store(ports, files.tokenizer)).digest;
  const referenceDigest = files.reference && (await store(ports, Buffer.from(files.reference))).digest;
  const digest = digestOf({ manifest, modelDigest, goldenDigest, tokenizerDigest, referenceDigest });
  const known = await findVersion(ports, manifest.name, digest);
  if (known !== undefined) return known;
  const load = await ports.sandbox.load(await ports.artifacts.fetch(modelDigest), LIMITS);
  if (load.kind !== 'loaded') throw new Error(`${manifest.name} cannot be loaded: ${JSON.stringify(load)}`);
  const { model } = load;
  try {
    const graph = model.signature;
    checkAgainstSignature(manifest, graph);
    const isTokenized = manifest.tokenizer !== undefined;
    const record = {
      model: manifest.name,
      modelDigest,
      modelBytes,
      goldenDigest,
      tokenizerDigest,
      referenceDigest,
      digest,
      manifest,
      signature: manifest.tokenizer === undefined ? graph : publicSignature(graph, manifest.tokenizer),
      graphSignature: isTokenized ? graph : undefined,
      validation: aValidation({
        rowMs: isTokenized ? undefined : await rowMsOf(model, files.golden),
        memoryBytes: Math.round(model.peakBytes()),
      }),
      pushedBy,
      pushedAtMs: Math.floor(ports.clock.nowMs()),
    };
    const { version } = await ports.registry.addVersion(record);
    await serveFirst(ports, { model: manifest.name, version });
    return { ...record, version };
  } finally {
    await model.close();
  }
}

/** The least of a few tries; undefined without a golden pair that it answers. */
async function rowMsOf(model: SandboxedModel, golden: string): Promise<number | undefined> {
  const [pair] = golden === '' ? [] : (await parseGolden(once(Buffer.from(golden)))).pairs;
  if (pair === undefined) return undefined;
  const times: number[] = [];
  for (let tries = 0; tries < TRIES; tries += 1) {
    const ran = await model.run(pair.inputs, SECOND_MS);
    if (ran.kind !== 'done') return undefined;
    times.push(ran.computeMs / (pair.inputs[0]?.shape[0] ?? 1));
  }
  return Math.min(...times);
}

function store(ports: Ports, bytes: Uint8Array): Promise<{ digest: string; sizeBytes: number }> {
  return ports.artifacts.store(once(bytes));
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
