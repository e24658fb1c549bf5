import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { type Header, pack } from 'tar-stream';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { OPEN_PACKAGES } from '../../adapters/aws/keys.ts';
import { type ModelPackagePorts, onModelPackageEvent, settleModelPackages } from '../../adapters/aws/model-packages.ts';
import { Table } from '../../adapters/aws/table.ts';
import { Failure } from '../../core/failure.ts';
import { DAY_MS, MIB } from '../../core/units.ts';
import { DynamoEmulator } from '../support/aws/dynamo-emulator.ts';
import { type Package, SageMakerEmulator } from '../support/aws/sagemaker-emulator.ts';
import { SqsEmulator } from '../support/aws/sqs-emulator.ts';
import { override } from '../support/fault.ts';
import { GOLDEN, PushWorld } from '../support/push-world.ts';

const ARN = 'arn:aws:sagemaker:us-east-1:123456789012:model-package/credit/7';
const APPROVAL = ['ModelApprovalStatus'];

let dynamo: DynamoEmulator;
let fauxqs: SqsEmulator;
let sagemaker: SageMakerEmulator;
let world: PushWorld;
let bucket: string;
let ports: ModelPackagePorts;

beforeAll(async () => {
  [dynamo, fauxqs, sagemaker] = await Promise.all([
    DynamoEmulator.start(),
    SqsEmulator.start(),
    SageMakerEmulator.start(),
  ]);
});
afterAll(() => Promise.all([dynamo.stop(), fauxqs.stop(), sagemaker.stop()]));

beforeEach(async () => {
  world = await PushWorld.open();
  bucket = fauxqs.createBucket();
  sagemaker.packages.clear();
  sagemaker.calls.length = 0;
  const control = new Table(dynamo.client, await dynamo.createTable());
  const packages = { sagemaker: sagemaker.client, s3: fauxqs.s3, control, groups: ['credit'], startsReleases: false };
  ports = { ...world.ports, releases: world.local.ports.releases, packages };
});
afterEach(() => world.close());

type Content = string | Buffer;

async function put(key: string, body: Content): Promise<void> {
  await fauxqs.s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
}

/** A package whose model data is these files under a prefix, approved unless told otherwise. */
async function register(files: Record<string, Content>, changes: Package = {}): Promise<void> {
  for (const [name, body] of Object.entries(files)) await put(`out/${name}`, body);
  const S3DataSource = { S3Uri: `s3://${bucket}/out/`, S3DataType: 'S3Prefix', CompressionType: 'None' } as const;
  registerContainer({ ModelDataSource: { S3DataSource } }, changes);
}

function registerContainer(container: object, changes: Package = {}): void {
  sagemaker.packages.set(ARN, {
    ModelPackageArn: ARN,
    ModelPackageGroupName: 'credit',
    ModelApprovalStatus: 'Approved',
    InferenceSpecification: { Containers: [container] },
    ...changes,
  });
}

type Entry = Partial<Header> & { readonly name: string; readonly body?: Content };

async function tar(entries: readonly Entry[]): Promise<Buffer> {
  const packed = pack();
  for (const { body = '', ...header } of entries) packed.entry(header, body);
  packed.finalize();
  return gzipSync(await buffer(packed));
}

/** A package whose model data is this archive. */
async function registerArchive(archive: Buffer, container: object = {}): Promise<void> {
  await put('model.tar.gz', archive);
  registerContainer({ ModelDataUrl: `s3://${bucket}/model.tar.gz`, ...container });
}

function event(changed: readonly string[] | undefined = APPROVAL, detail: object = {}) {
  return {
    source: 'aws.sagemaker',
    'detail-type': 'SageMaker Model Package State Change',
    detail: {
      ModelPackageArn: ARN,
      ModelPackageGroupName: 'credit',
      ModelApprovalStatus: 'Approved',
      UpdatedModelPackageFields: changed,
      ...detail,
    },
  };
}

const FILES = { 'manifest.json': JSON.stringify({ name: 'm' }), 'model.onnx': 'model bytes', 'golden.jsonl': GOLDEN };
const asEntries = (files: Record<string, Content>): Entry[] =>
  Object.entries(files).map(([name, body]) => ({ name, body }));
const links = async () => (await Array.fromAsync(ports.packages.control.query(OPEN_PACKAGES))).length;
const settle = () => settleModelPackages(ports, world.clock.nowMs());

test('an approved package becomes a version, and is told so when it has', async () => {
  await register(FILES);
  const { validation } = (await onModelPackageEvent(ports, event())) as { validation: string };
  expect(sagemaker.toldOf(ARN)).toMatchObject({ 'sluice-state': 'validating', 'sluice-validation': validation });
  expect(await settle()).toBe(0);
  await world.runNext();
  expect((await world.versions()).map(({ version, pushedBy }) => [version, pushedBy])).toEqual([
    ['1', `sagemaker:${ARN}`],
  ]);
  expect(await settle()).toBe(1);
  expect(sagemaker.toldOf(ARN)).toEqual({
    'sluice-state': 'version',
    'sluice-version': '1',
    'sluice-validation': validation,
    'sluice-reason': 'none',
    'sluice-release': 'none',
    'sluice-release-state': 'none',
  });
  expect([await links(), await settle()]).toEqual([0, 0]);
});

test('what validation refuses is told with its reason, in characters that SageMaker takes', async () => {
  await register(FILES);
  world.look = () =>
    Promise.reject(new Failure('golden-mismatch', { detail: `pair 3: "y" is {1} – not ${'2'.repeat(300)}` }));
  await onModelPackageEvent(ports, event());
  await world.runNext();
  expect(await settle()).toBe(1);
  const told = sagemaker.toldOf(ARN)!;
  expect(told['sluice-state']).toBe('refused');
  expect(told['sluice-reason']).toMatch(/^golden-mismatch: pair 3: y is 1 not 2+$/);
});

test('an event that comes again changes nothing, and neither does one about what was written here', async () => {
  await register(FILES);
  const events = await Promise.all([1, 2, 3].map(() => onModelPackageEvent(ports, event())));
  expect(new Set(events.map((each) => JSON.stringify(each))).size).toBe(1);
  await world.runNext();
  await settle();
  const calls = sagemaker.calls.length;
  expect(await onModelPackageEvent(ports, event(['CustomerMetadataProperties']))).toEqual({ kind: 'ignored' });
  expect(sagemaker.calls).toHaveLength(calls);
  // One that does not say what was changed.
  const unsaid = event();
  delete (unsaid.detail as { UpdatedModelPackageFields?: unknown }).UpdatedModelPackageFields;
  expect(await onModelPackageEvent(ports, unsaid)).toEqual({ kind: 'ignored' });
  expect(await onModelPackageEvent(ports, event())).toEqual({ kind: 'version', version: '1' });
  expect(await world.versions()).toHaveLength(1);
});

test('only approvals of the configured groups are looked at, as the registry has them now', async () => {
  await register(FILES);
  const ignored = [
    event(APPROVAL, { ModelApprovalStatus: 'Rejected' }),
    event(APPROVAL, { ModelPackageGroupName: 'other' }),
    event(['ModelLifeCycle']),
  ];
  for (const each of ignored) expect(await onModelPackageEvent(ports, each)).toEqual({ kind: 'ignored' });
  expect(sagemaker.calls).toEqual([]);
  await register(FILES, { ModelApprovalStatus: 'Rejected' });
  expect(await onModelPackageEvent(ports, event())).toEqual({ kind: 'ignored' });
  await register(FILES, { ModelPackageGroupName: 'other' });
  expect(await onModelPackageEvent(ports, event())).toEqual({ kind: 'ignored' });
  expect(sagemaker.toldOf(ARN)).toBeUndefined();
  await expect(onModelPackageEvent(ports, { detail: {} })).rejects.toThrow();
});

test('model data that cannot be a push is refused at once, with the reason', async () => {
  const refused = async () => {
    expect(await onModelPackageEvent(ports, event())).toMatchObject({ kind: 'refused' });
    expect(sagemaker.toldOf(ARN)?.['sluice-state']).toBe('refused');
    return sagemaker.toldOf(ARN)!['sluice-reason'];
  };
  await register({ 'model.onnx': 'x' });
  expect(await refused()).toBe('manifest-invalid: manifest.json: missing in the model data');
  await register({ 'manifest.json': '{' });
  expect(await refused()).toBe('manifest-invalid: manifest.json: is no JSON in UTF-8');
  await register({ 'manifest.json': JSON.stringify({ name: 'Not A Name', typo: 1 }) });
  expect(await refused()).toMatch(/^manifest-invalid: name: .* \/ typo: there is no such key$/);
  await register({ 'manifest.json': ' '.repeat(MIB + 1) });
  expect(await refused()).toMatch(/^body-too-large: manifest.json/);
  bucket = fauxqs.createBucket();
  await register({ 'manifest.json': FILES['manifest.json'] });
  expect(await refused()).toBe('model-invalid: the model data: model.onnx is missing in it');
  registerContainer({ ModelDataUrl: 'https://elsewhere/model.tar.gz' });
  expect(await refused()).toContain('at no s3:// address');
  registerContainer({});
  expect(await refused()).toContain('names no model data');
  registerContainer({}, { InferenceSpecification: { Containers: [] } as never });
  expect(await refused()).toContain('0 containers');
  expect(await links()).toBe(0);
});

test('an archive is read in any order of its files, what lies in folders or beside them being none of ours', async () => {
  const golden = { name: './golden.jsonl', body: GOLDEN };
  const code = { name: 'code/manifest.json', body: '{}' };
  const model = { name: './model.onnx', body: Buffer.alloc(3 * MIB, 'model') };
  const manifest = { name: './manifest.json', body: FILES['manifest.json'] };
  for (const entries of [
    [code, manifest, model, golden],
    [golden, model, manifest, code],
  ]) {
    await registerArchive(await tar([{ name: './', type: 'directory' }, ...entries, { name: 'notes.txt', body: 'x' }]));
    expect(await onModelPackageEvent(ports, event())).toMatchObject({ kind: 'validating' });
  }
  await world.runNext();
  const [version] = await world.versions();
  expect([version?.modelBytes, version?.goldenDigest?.length]).toEqual([3 * MIB, 64]);
  expect(await world.versions()).toHaveLength(1);
});

test('an archive that is damaged, hostile, changed or not there is refused', async () => {
  const sound = await tar(asEntries(FILES));
  const bomb = await tar([{ name: 'manifest.json', body: Buffer.alloc(2 * MIB, ' ') }]);
  const many = await tar(Array.from({ length: 1001 }, (_, at) => ({ name: `file-${at}` })));
  const archives: [Buffer, string][] = [
    [Buffer.from('no archive'), 'no whole .tar.gz'],
    [sound.subarray(0, sound.length - 40), 'no whole .tar.gz'],
    [gzipSync(Buffer.alloc(4096, 'x')), 'no whole .tar.gz'],
    [await tar([{ name: '../manifest.json', body: '{}' }]), 'leaves the archive'],
    [await tar([{ name: '/manifest.json', body: '{}' }]), 'leaves the archive'],
    [await tar([{ name: 'model.onnx', type: 'symlink', linkname: '/etc/passwd' }]), 'model.onnx is no file'],
    [await tar([...asEntries(FILES), { name: './model.onnx', body: 'x' }]), 'there twice'],
    [await tar(asEntries({ 'manifest.json': FILES['manifest.json'] })), 'model.onnx is missing'],
    [bomb, 'body-too-large: manifest.json'],
    [many, 'body-too-large: entries'],
  ];
  for (const [archive, reason] of archives) {
    await registerArchive(archive);
    expect(await onModelPackageEvent(ports, event())).toMatchObject({ kind: 'refused' });
    expect(sagemaker.toldOf(ARN)!['sluice-reason']).toContain(reason);
  }
  await registerArchive(sound, { ModelDataETag: '"another"' });
  await onModelPackageEvent(ports, event());
  expect(sagemaker.toldOf(ARN)!['sluice-reason']).toContain('changed since it was registered');
  registerContainer({ ModelDataUrl: `s3://${bucket}/none.tar.gz` });
  await onModelPackageEvent(ports, event());
  expect(sagemaker.toldOf(ARN)!['sluice-reason']).toContain('is not there');
});

test('what may go well later is no refusal: the event comes again', async () => {
  await register(FILES);
  const slow = { status: 400, body: { __type: 'ThrottlingException' } };
  sagemaker.faults.push(slow, slow, slow, slow);
  await expect(onModelPackageEvent(ports, event())).rejects.toMatchObject({ code: 'overloaded' });
  expect(sagemaker.toldOf(ARN)).toBeUndefined();
  expect(await onModelPackageEvent(ports, event())).toMatchObject({ kind: 'validating' });
  await world.runNext();
  sagemaker.faults.push(slow, slow, slow, slow);
  expect([await settle(), await links()]).toEqual([0, 1]);
  expect([await settle(), await links()]).toEqual([1, 0]);
});

test('a store that fails amid a model of an archive ends the reading of it', async () => {
  const { 'golden.jsonl': _, ...files } = { ...FILES, 'model.onnx': randomBytes(6 * MIB) };
  await registerArchive(await tar(asEntries(files)));
  const artifacts = override(ports.artifacts, {
    async store(bytes) {
      for await (const chunk of bytes) if (chunk.length > 0) throw new Failure('storage-unavailable');
      return { digest: '', sizeBytes: 0 };
    },
  });
  const failing = onModelPackageEvent({ ...ports, artifacts }, event());
  await expect(failing).rejects.toMatchObject({ code: 'storage-unavailable' });
  expect(await onModelPackageEvent(ports, event())).toMatchObject({ kind: 'validating' });
});

test('a package that was deleted, or whose validation is forgotten, is not asked after for ever', async () => {
  await register(FILES);
  await onModelPackageEvent(ports, event());
  expect(await settleModelPackages(ports, world.clock.nowMs() + 31 * DAY_MS)).toBe(1);
  expect(sagemaker.toldOf(ARN)!['sluice-reason']).toMatch(/^validation-unknown/);
  await onModelPackageEvent(ports, event());
  await world.runNext();
  sagemaker.packages.clear();
  expect([await settle(), await links()]).toEqual([1, 0]);
});
