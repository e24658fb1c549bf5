import type { S3Client } from '@aws-sdk/client-s3';
import type { ModelPackageContainerDefinition } from '@aws-sdk/client-sagemaker';
import { Failure } from '../../core/failure.ts';
import { MOST_MODEL_BYTES, MOST_TOKENIZER_BYTES, type Push } from '../../core/models/push.ts';
import { MOST_REFERENCE_BYTES } from '../../core/quality/drift/reference-file.ts';
import { GIB, MIB } from '../../core/units.ts';
import { BucketFiles, type FoundFile } from './bucket-files.ts';
import { readTar } from './tar-files.ts';

type Bytes = AsyncIterable<Uint8Array>;
type Files = Pick<Push, 'manifest' | 'modelBytes' | 'golden' | 'tokenizer' | 'reference'>;

const MODEL = 'model.onnx';
/** Beside the model, and the most of each: a manifest is a page, and a golden file is refused beyond 64 MiB anyway. */
const MOST_BESIDE: Readonly<Record<string, number>> = {
  'manifest.json': MIB,
  'golden.jsonl': 65 * MIB,
  'tokenizer.json': MOST_TOKENIZER_BYTES + MIB,
  'reference.json': MOST_REFERENCE_BYTES + MIB,
};
const NAMES: ReadonlySet<string> = new Set([MODEL, ...Object.keys(MOST_BESIDE)]);
/** The files above, and what training jobs leave beside them. */
const TAR_LIMITS = { entries: 1000, unpackedBytes: MOST_MODEL_BYTES + GIB } as const;

/**
 * The files of a push where a package of the SageMaker Model Registry says that its model data is: objects under a prefix, or
 * a `.tar.gz`, which is read twice, so that the manifest is checked before the model is stored and nothing is unpacked to a
 * disk. Throws `manifest-invalid`, `model-invalid`, `body-too-large` for data that cannot be a push.
 */
export function openPackageFiles(client: S3Client, container: ModelPackageContainerDefinition): Promise<Files> {
  const source = container.ModelDataSource?.S3DataSource;
  if (source === undefined) {
    if (container.ModelDataUrl === undefined) throw invalid('the package names no model data');
    return openArchive(client, container.ModelDataUrl, container.ModelDataETag);
  }
  const { S3Uri = '', S3DataType, CompressionType, ETag } = source;
  if (S3DataType === 'S3Prefix' && CompressionType === 'None') return openPrefix(client, S3Uri);
  if (S3DataType === 'S3Object' && CompressionType === 'Gzip') return openArchive(client, S3Uri, ETag);
  throw invalid('the model data must be a prefix (S3Prefix, None) or a .tar.gz (S3Object, Gzip)');
}

async function openPrefix(client: S3Client, uri: string): Promise<Files> {
  const { bucket, key } = placeOf(uri);
  const files = new BucketFiles(client, bucket);
  const prefix = key === '' || key.endsWith('/') ? key : `${key}/`;
  const open = async (name: string) => {
    const found = await files.find(`${prefix}${name}`);
    return found && checked(name, found.sizeBytes, files.read(found));
  };
  const manifest = await open('manifest.json');
  const model = await open(MODEL);
  return {
    manifest: parse(manifest && (await readWhole(manifest))),
    modelBytes: model ?? missing(MODEL),
    golden: await open('golden.jsonl'),
    tokenizer: await open('tokenizer.json'),
    reference: await open('reference.json'),
  };
}

async function openArchive(client: S3Client, uri: string, etag: string | undefined): Promise<Files> {
  const { bucket, key } = placeOf(uri);
  const files = new BucketFiles(client, bucket);
  const archive = await files.find(key);
  if (archive === undefined) throw invalid('the archive that the package names is not there');
  if (etag !== undefined && bare(etag) !== bare(archive.etag ?? '')) {
    throw invalid('the archive was changed since it was registered');
  }
  const beside = new Map<string, Uint8Array>();
  let hasModel = false;
  await readTar(files.read(archive), NAMES, TAR_LIMITS, async (name, bytes) => {
    if (name === MODEL) hasModel = true;
    else beside.set(name, await readWhole(checked(name, 0, bytes)));
    return undefined;
  });
  const open = (name: string) => {
    const bytes = beside.get(name);
    return bytes && whole(bytes);
  };
  return {
    manifest: parse(beside.get('manifest.json')),
    modelBytes: hasModel ? modelOf(files, archive) : missing(MODEL),
    golden: open('golden.jsonl'),
    tokenizer: open('tokenizer.json'),
    reference: open('reference.json'),
  };
}

/** The model of an archive, as it is asked for. */
async function* modelOf(files: BucketFiles, archive: FoundFile): AsyncGenerator<Uint8Array> {
  const chunks = new TransformStream<Uint8Array, Uint8Array>();
  const writer = chunks.writable.getWriter();
  const reading = readTar(files.read(archive), NAMES, TAR_LIMITS, async (name, bytes) => {
    if (name !== MODEL) return undefined;
    for await (const chunk of bytes) await writer.write(chunk);
    return 'stop';
  }).then(
    () => writer.close(),
    (error: unknown) => writer.abort(error),
  );
  try {
    yield* chunks.readable;
  } finally {
    // A reader that stops early ends the reading, which has nothing to say then.
    await reading.catch(() => {});
  }
}

function checked(name: string, sizeBytes: number, bytes: Bytes): Bytes {
  const limitBytes = MOST_BESIDE[name];
  if (limitBytes === undefined) return bytes;
  const tooLarge = () => new Failure('body-too-large', { field: name, limitBytes });
  if (sizeBytes > limitBytes) throw tooLarge();
  return (async function* limited() {
    let length = 0;
    for await (const chunk of bytes) {
      length += chunk.length;
      if (length > limitBytes) throw tooLarge();
      yield chunk;
    }
  })();
}

function parse(manifest: Uint8Array | undefined): unknown {
  if (manifest === undefined) {
    throw new Failure('manifest-invalid', { problems: ['manifest.json: missing in the model data'] });
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(manifest));
  } catch (cause) {
    throw new Failure('manifest-invalid', { problems: ['manifest.json: is no JSON in UTF-8'] }, { cause });
  }
}

function placeOf(uri: string): { readonly bucket: string; readonly key: string } {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.*)$/.exec(uri) ?? [];
  if (bucket === undefined || key === undefined) throw invalid('the model data is at no s3:// address');
  return { bucket, key };
}

async function readWhole(bytes: Bytes): Promise<Uint8Array> {
  return Buffer.concat(await Array.fromAsync(bytes));
}

async function* whole(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function missing(name: string): never {
  throw invalid(`${name} is missing in it`);
}

function bare(etag: string): string {
  return etag.replaceAll('"', '');
}

function invalid(detail: string): Failure {
  return new Failure('model-invalid', { detail: `the model data: ${detail}` });
}
