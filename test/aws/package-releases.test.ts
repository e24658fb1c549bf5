import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { OPEN_PACKAGES } from '../../adapters/aws/keys.ts';
import { type ModelPackagePorts, onModelPackageEvent, settleModelPackages } from '../../adapters/aws/model-packages.ts';
import { Table } from '../../adapters/aws/table.ts';
import { giveVerb } from '../../core/release/manage-releases.ts';
import type { Release } from '../../core/release/release.ts';
import { DynamoEmulator } from '../support/aws/dynamo-emulator.ts';
import { SageMakerEmulator } from '../support/aws/sagemaker-emulator.ts';
import { SqsEmulator } from '../support/aws/sqs-emulator.ts';
import { GOLDEN, PushWorld } from '../support/push-world.ts';

const arnOf = (number: number) => `arn:aws:sagemaker:us-east-1:123456789012:model-package/credit/${number}`;
const ARN = arnOf(1);
const GATED = { steps: [{ gate: { people: 1 } }, { setWeight: 100 }] };

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
  const packages = { sagemaker: sagemaker.client, s3: fauxqs.s3, control, groups: ['credit'], startsReleases: true };
  ports = { ...world.ports, releases: world.local.ports.releases, packages };
});
afterEach(() => world.close());

/** Registers a package and has it approved. `model`: its bytes. */
async function approve(model: string, arn = ARN, manifest: object = {}): Promise<void> {
  const files = { 'manifest.json': JSON.stringify({ name: 'm', ...manifest }), 'model.onnx': model };
  for (const [name, body] of Object.entries({ ...files, 'golden.jsonl': GOLDEN })) {
    await fauxqs.s3.send(new PutObjectCommand({ Bucket: bucket, Key: `${model}/${name}`, Body: body }));
  }
  const source = { S3Uri: `s3://${bucket}/${model}/`, S3DataType: 'S3Prefix', CompressionType: 'None' } as const;
  const Containers = [{ ModelDataSource: { S3DataSource: source } }];
  const approved = { ModelPackageArn: arn, ModelPackageGroupName: 'credit', ModelApprovalStatus: 'Approved' } as const;
  sagemaker.packages.set(arn, { ...approved, InferenceSpecification: { Containers } });
  await onModelPackageEvent(ports, { detail: { ...approved, UpdatedModelPackageFields: ['ModelApprovalStatus'] } });
}

const settle = () => settleModelPackages(ports, world.clock.nowMs());
const links = async () => (await Array.fromAsync(ports.packages.control.query(OPEN_PACKAGES))).length;
const releases = async () => (await ports.releases.list('m', 10)).items;

async function latest(): Promise<Release> {
  return (await ports.releases.readLatest('m'))!;
}

async function abort(): Promise<void> {
  const said = { id: crypto.randomUUID(), verb: 'abort', by: 'user:ann', why: 'complaints' } as const;
  await giveVerb(ports, (await latest()).id, said);
}

/** As a driver does with an end. */
async function promote(): Promise<void> {
  const release = await latest();
  const state = { kind: 'promoted', atMs: world.clock.nowMs() } as const;
  await ports.releases.write({ ...release, epoch: release.epoch + 1, state }, []);
}

test('an approved package is released over the stable version by the plan of its manifest, and told how that ends', async () => {
  await world.push({ name: 'm' });
  await approve('better', ARN, { release: GATED });
  expect(await settle()).toBe(0);
  await world.runNext();
  expect(await settle()).toBe(0);
  const release = await latest();
  expect(release).toMatchObject({
    stable: '1',
    candidate: '2',
    startedBy: 'sagemaker',
    state: { kind: 'gated' },
    plan: { steps: [{ gate: { people: 1 } }, { setWeight: 100 }] },
  });
  const { items: audits } = await ports.releases.listAudits(release.id, 10);
  expect(audits).toMatchObject([
    { by: 'sluice', what: 'not compared on golden pairs' },
    { by: 'sagemaker', what: 'gate of step 1 waits', why: `the package ${ARN} was approved` },
  ]);
  const told = { 'sluice-state': 'version', 'sluice-version': '2', 'sluice-release': release.id };
  expect(sagemaker.toldOf(ARN)).toMatchObject({ ...told, 'sluice-release-state': 'active' });
  const calls = sagemaker.calls.length;
  expect([await settle(), sagemaker.calls.length]).toEqual([0, calls]);
  await promote();
  expect([await settle(), await links()]).toEqual([1, 0]);
  expect(sagemaker.toldOf(ARN)).toMatchObject({ ...told, 'sluice-release-state': 'promoted', 'sluice-reason': 'none' });
});

test('a release that is rolled back is told with its reason, and is not started again by another approval', async () => {
  await world.push({ name: 'm' });
  await approve('worse', ARN, { release: GATED });
  await world.runNext();
  await settle();
  await abort();
  expect(await settle()).toBe(1);
  const told = { 'sluice-version': '2', 'sluice-release-state': 'rolled-back', 'sluice-reason': 'complaints' };
  expect(sagemaker.toldOf(ARN)).toMatchObject(told);
  await approve('worse', ARN, { release: GATED });
  expect([await settle(), await links()]).toEqual([1, 0]);
  expect(sagemaker.toldOf(ARN)).toMatchObject(told);
  expect(await releases()).toHaveLength(1);
});

test('while another release of the model goes on a package waits, and one that is rejected meanwhile is not released', async () => {
  await world.push({ name: 'm' });
  for (const [at, model] of ['one', 'two', 'three'].entries()) {
    await approve(model, arnOf(at), { release: GATED });
    await world.runNext();
    expect(await settle()).toBe(0);
  }
  expect((await releases()).map(({ candidate }) => candidate)).toEqual(['2']);
  for (const at of [1, 2]) expect(sagemaker.toldOf(arnOf(at))?.['sluice-release-state']).toBe('waiting');
  sagemaker.packages.set(arnOf(1), { ...sagemaker.packages.get(arnOf(1)), ModelApprovalStatus: 'Rejected' });
  await abort();
  expect(await settle()).toBe(2);
  expect(sagemaker.toldOf(arnOf(1))).toMatchObject({ 'sluice-version': '3', 'sluice-release-state': 'none' });
  expect(sagemaker.toldOf(arnOf(2))).toMatchObject({ 'sluice-version': '4', 'sluice-release-state': 'active' });
  expect(new Set((await releases()).map(({ candidate }) => candidate))).toEqual(new Set(['2', '4']));
});

test('a crash between the start and what is kept of it starts no second release', async () => {
  await world.push({ name: 'm' });
  await approve('better', ARN, { release: GATED });
  await world.runNext();
  const { control } = ports.packages;
  const put = control.put.bind(control);
  control.put = async (item, condition) => {
    if ('release' in item) throw new Error('killed');
    return put(item, condition);
  };
  expect(await settle()).toBe(0);
  control.put = put;
  expect(await settle()).toBe(0);
  expect((await releases()).map(({ id }) => id)).toEqual([sagemaker.toldOf(ARN)?.['sluice-release']]);
  expect(await links()).toBe(1);
});

test('what cannot be released is told why; the first version of a model, and one of a region that starts none, just serve or wait', async () => {
  await approve('first');
  await world.runNext();
  expect([await settle(), await links()]).toEqual([1, 0]);
  expect(sagemaker.toldOf(ARN)).toMatchObject({ 'sluice-version': '1', 'sluice-release-state': 'none' });
  await approve('planned', arnOf(2), {
    release: { steps: [{ setWeight: { tenants: ['nobody-here'] } }, { setWeight: 100 }] },
  });
  await world.runNext();
  expect([await settle(), await links()]).toEqual([1, 0]);
  expect(sagemaker.toldOf(arnOf(2))).toMatchObject({ 'sluice-version': '2', 'sluice-release-state': 'not-started' });
  expect(sagemaker.toldOf(arnOf(2))?.['sluice-reason']).toMatch(/^release-plan-invalid: .*nobody-here/);
  ports = { ...ports, packages: { ...ports.packages, startsReleases: false } };
  await approve('last', arnOf(3));
  await world.runNext();
  expect([await settle(), await links()]).toEqual([1, 0]);
  expect(await releases()).toEqual([]);
});
