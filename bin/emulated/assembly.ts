import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CliCredentialsStackSynthesizer, type IReusableStackSynthesizer } from 'aws-cdk-lib';
import { SluiceApp } from '../../lib/app.ts';
import { bundleFunctions } from '../../lib/bundle.ts';
import type { Config } from '../../lib/config.ts';
import { type LeftOut, leaveOut, type Resource, type Template } from './leave-out.ts';
import { answerWhole, withoutConditions } from './without.ts';

const ROOT = join(import.meta.dirname, '..', '..');

export type Assembly = {
  /** What the CDK CLI takes with `--app`. */
  readonly folder: string;
  /** In the order in which they are deployed. */
  readonly stacks: readonly Stack[];
};

type Stack = { readonly name: string; readonly templateFile: string };

/**
 * The only region of an environment as it is deployed: with functions for this machine's processor, and services without tasks.
 * The folder of the workers' image has the Dockerfile alone, as no image is built of it.
 */
export async function synthesize(config: Config, folder: string): Promise<Assembly> {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'x64';
  const { folders } = await bundleFunctions(join(folder, 'functions'), { architecture, sourceMaps: false });
  const image = join(folder, 'image');
  await mkdir(image);
  await copyFile(join(ROOT, 'gpu-worker', 'Dockerfile'), join(image, 'Dockerfile'));
  const { context } = JSON.parse(await readFile(join(ROOT, 'cdk.json'), 'utf8')) as {
    context: Record<string, unknown>;
  };
  const workerImages = { x64: image, arm64: image };
  const deployment = { config, folders, workerImages, canaryFolder: image, isFirstDeployment: true };
  const app = new SluiceApp(deployment, {
    outdir: join(folder, 'cdk.out'),
    // Its evaluation of policies does not let the roles of `cdk bootstrap` publish.
    defaultStackSynthesizer: new CliCredentialsStackSynthesizer() as IReusableStackSynthesizer,
    context,
  });
  const { directory: below, stacks } = app.synth().getNestedAssembly(`assembly-${config.primary}`);
  return {
    folder: below,
    stacks: stacks.map(({ stackName, templateFullPath }) => ({ name: stackName, templateFile: templateFullPath })),
  };
}

/** Of a call that ministack evaluates policies for: what it does not tell of it. */
function isUnknownKey(key: string): boolean {
  return key.startsWith('kms:EncryptionContext:') || key === 'aws:SourceAccount' || key === 'aws:SourceArn';
}

export type Adapted = {
  readonly deployed: Readonly<Record<string, number>>;
  readonly leftOut: readonly LeftOut[];
  /** Methods that answer whole instead of streaming. */
  readonly wholeMethods: number;
  /** Of policies, on keys of a request that the emulator does not tell. */
  readonly droppedConditions: number;
};

/** Every type of resource in the assembly. */
export async function typesOf(assembly: Assembly): Promise<ReadonlySet<string>> {
  const templates = Object.values(await readTemplates(assembly));
  return new Set(templates.flatMap(({ Resources }) => Object.values(Resources).map(({ Type }) => Type)));
}

/** Rewrites the templates for an emulator that does not know these types, has no metric math, filters no pipes, streams no answers and has no images. */
export async function adapt(assembly: Assembly, unknown: ReadonlySet<string>): Promise<Adapted> {
  const objection = (resource: Resource) =>
    unknown.has(resource.Type)
      ? 'ministack does not know the type'
      : (metricMathIn(resource) ?? pipeIn(resource) ?? refusalWithoutTls(resource));
  const { templates, leftOut } = leaveOut(await readTemplates(assembly), objection);
  const deployed: Record<string, number> = {};
  let [wholeMethods, droppedConditions] = [0, 0];
  for (const { name, templateFile } of assembly.stacks) {
    const whole = answerWhole(templates[name]!);
    const { template, conditions } = withoutConditions(whole.template, isUnknownKey);
    wholeMethods += whole.methods;
    droppedConditions += conditions;
    deployed[name] = Object.keys(template.Resources).length;
    await writeFile(templateFile, JSON.stringify(template, null, 1));
    await forgetImages(templateFile.replace(/template\.json$/, 'assets.json'));
  }
  return { deployed, leftOut, wholeMethods, droppedConditions };
}

function metricMathIn({ Type, Properties }: Resource): string | undefined {
  const isMath = Type === 'AWS::CloudWatch::Alarm' && 'Metrics' in (Properties as object);
  return isMath ? 'ministack has no alarms on metric math' : undefined;
}

/** Every change of a table would start what waits for one of them. */
function pipeIn({ Type }: Resource): string | undefined {
  return Type === 'AWS::Pipes::Pipe' ? 'ministack neither filters nor shapes what a pipe delivers' : undefined;
}

function refusalWithoutTls({ Type, Properties }: Resource): string | undefined {
  const isPolicy =
    Type === 'AWS::S3::BucketPolicy' || Type === 'AWS::SQS::QueuePolicy' || Type === 'AWS::SNS::TopicPolicy';
  const refuses = isPolicy && JSON.stringify(Properties).includes('aws:SecureTransport');
  return refuses ? 'refuses calls without TLS, and ministack is called so' : undefined;
}

async function readTemplates({ stacks }: Assembly): Promise<Record<string, Template>> {
  const read = stacks.map(async ({ name, templateFile }) => [name, JSON.parse(await readFile(templateFile, 'utf8'))]);
  return Object.fromEntries(await Promise.all(read));
}

async function forgetImages(assetsFile: string): Promise<void> {
  const assets = JSON.parse(await readFile(assetsFile, 'utf8')) as Record<string, unknown>;
  await writeFile(assetsFile, JSON.stringify({ ...assets, dockerImages: {} }, null, 1));
}
