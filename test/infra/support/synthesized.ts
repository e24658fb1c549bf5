import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AppProps, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { HTTP_FUNCTIONS, INNER_FUNCTIONS } from '../../../adapters/aws/environment.ts';
import { SluiceApp } from '../../../lib/app.ts';
import { type Config, loadConfig } from '../../../lib/config.ts';
import type { Deployment, RegionStage } from '../../../lib/stages/region-stage.ts';

export const ROOT = join(import.meta.dirname, '..', '..', '..');
export const EXAMPLE = join(ROOT, 'config', 'example.json');
export const FUNCTION_NAMES = [...Object.keys(HTTP_FUNCTIONS), ...INNER_FUNCTIONS] as const;

export type Resource = {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: a template's properties are whatever CloudFormation takes.
  readonly Properties?: any;
  readonly DeletionPolicy?: string;
  readonly DependsOn?: readonly string[];
};
export type Resources = Readonly<Record<string, Resource>>;
export type StackName = Exclude<
  { [Name in keyof RegionStage]: RegionStage[Name] extends Stack | undefined ? Name : never }[keyof RegionStage],
  undefined
>;

/** What cdk.json tells the app. */
function cdkContext(): Record<string, unknown> {
  const { context } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8'));
  return { ...context, 'aws:cdk:bundling-stacks': [] };
}

/** An app as `cdk synth` makes it, but with tiny functions and images, and without CDK's own checks of templates unless asked for. */
export function makeApp(
  config: Config = loadConfig(EXAMPLE),
  { props = {}, ...parts }: { props?: AppProps } & Partial<Deployment> = {},
): SluiceApp {
  const scratch = mkdtempSync(join(tmpdir(), 'sluice-infra-'));
  process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
  const folder = join(scratch, 'code');
  mkdirSync(folder);
  writeFileSync(join(folder, 'index.mjs'), 'export const handler = async () => {};\n');
  writeFileSync(join(folder, 'Dockerfile'), 'FROM scratch\n');
  const canaryFolder = join(scratch, 'canary');
  mkdirSync(join(canaryFolder, 'nodejs', 'node_modules'), { recursive: true });
  writeFileSync(join(canaryFolder, 'nodejs', 'node_modules', 'index.js'), 'exports.handler = async () => {};\n');
  const folders = Object.fromEntries(FUNCTION_NAMES.map((name) => [name, folder])) as Deployment['folders'];
  return new SluiceApp(
    { config, folders, workerImages: { x64: folder, arm64: folder }, canaryFolder, ...parts },
    { builtinCloudFormationValidation: false, outdir: join(scratch, 'out'), context: cdkContext(), ...props },
  );
}

export class Synthesized {
  readonly app: SluiceApp;
  readonly #templates = new Map<string, Template>();

  constructor(app: SluiceApp) {
    this.app = app;
  }

  stack(region: string, name: StackName): Stack {
    const stack = this.app.stages[region]?.[name];
    if (stack === undefined) throw new Error(`no stack ${name} in ${region}`);
    return stack;
  }

  template(region: string, name: StackName): Template {
    const id = `${region}/${name}`;
    let template = this.#templates.get(id);
    if (template === undefined) {
      template = Template.fromStack(this.stack(region, name));
      this.#templates.set(id, template);
    }
    return template;
  }

  /** Of one type, by logical id. */
  resources(region: string, name: StackName, type?: string): Resources {
    const { Resources: all = {} } = this.template(region, name).toJSON() as { Resources?: Resources };
    if (type === undefined) return all;
    return Object.fromEntries(Object.entries(all).filter(([, { Type }]) => Type === type));
  }

  /** All of them, of every stack of a region. */
  everything(region: string): readonly (Resource & { readonly id: string; readonly stack: StackName })[] {
    return STACKS.filter((stack) => this.app.stages[region]?.[stack] !== undefined).flatMap((stack) =>
      Object.entries(this.resources(region, stack)).map(([id, resource]) => ({ ...resource, id, stack })),
    );
  }
}

export const STACKS = [
  'foundation',
  'directory',
  'modelStore',
  'data',
  'inference',
  'api',
  'release',
  'observability',
] as const;
export const REGIONS = ['us', 'eu'] as const;
