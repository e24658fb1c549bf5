import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Child } from './child.ts';

const CDK = join(import.meta.dirname, '..', '..', 'node_modules', 'aws-cdk', 'bin', 'cdk');

/** Any: an emulator checks no signature. */
export const DUMMY_KEYS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' } as const;

export type Target = {
  readonly endpoint: string;
  readonly account: string;
  readonly awsRegion: string;
  /** A folder for what the CLI keeps of itself. */
  readonly folder: string;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
};

export type StackDeployed = {
  readonly stack: string;
  readonly seconds: number;
  readonly outcome: 'deployed' | 'failed';
};

/** Outputs of stacks, by the stack's name. */
export type Outputs = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** `cdk bootstrap`: throws with what the CLI said if it fails. */
export async function bootstrap(target: Target): Promise<void> {
  const { account, awsRegion } = target;
  await cdk(target, ['bootstrap', `aws://${account}/${awsRegion}`], () => {});
}

/** `cdk deploy --all` of an assembly, one stack after the other. Throws with what the CLI said if a stack fails. */
export async function deployAll(
  target: Target,
  assembly: string,
  onStack: (stack: StackDeployed) => void,
): Promise<Outputs> {
  const outputsFile = join(target.folder, 'outputs.json');
  let startedMs = performance.now();
  const args = ['deploy', '--all', '--app', assembly, '--require-approval', 'never', '--outputs-file', outputsFile];
  await cdk(target, args, (line) => {
    const [, mark, stack] = /^\s*(✅|❌).*?(sluice-[\w-]+)/.exec(line) ?? [];
    if (mark === undefined || stack === undefined) return;
    const nowMs = performance.now();
    onStack({ stack, seconds: (nowMs - startedMs) / 1000, outcome: mark === '✅' ? 'deployed' : 'failed' });
    startedMs = nowMs;
  });
  return JSON.parse(await readFile(outputsFile, 'utf8')) as Outputs;
}

async function cdk(
  { endpoint, awsRegion, folder, signal }: Target,
  args: readonly string[],
  onLine: (line: string) => void,
) {
  // Away from cdk.json, so that the CLI takes nothing but what it is told.
  const home = join(folder, 'cdk');
  await mkdir(home, { recursive: true });
  const variables = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: home,
    TMPDIR: home,
    CI: 'true',
    CDK_DISABLE_VERSION_CHECK: 'true',
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: awsRegion,
    AWS_EC2_METADATA_DISABLED: 'true',
    ...DUMMY_KEYS,
  };
  const child = new Child({ file: process.execPath, args: [CDK, ...args], variables, folder: home, onLine, signal });
  const code = await child.ended;
  if (code !== 0) throw new Error(`cdk ${args[0]} ended with ${code}:\n${child.lines.join('\n')}`);
}
