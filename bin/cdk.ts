import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { buildConsole } from '../embedded/console/console-build.ts';
import { SluiceApp } from '../lib/app.ts';
import { bundleCanary, bundleFunctions, bundleWorker } from '../lib/bundle.ts';
import { loadConfig } from '../lib/config.ts';
import { progress } from './output.ts';

const ROOT = join(import.meta.dirname, '..');
const OUT = join(ROOT, 'dist');

/*
 * What `cdk` runs: an environment's file in, templates out. `-c config=<file>` names the file, `-c firstDeployment=true` makes
 * services without tasks.
 */
const { node } = new App({ autoSynth: false });
const config = loadConfig(join(ROOT, String(node.tryGetContext('config'))));
const { folders } = await bundleFunctions(join(OUT, 'functions'));
const canaryFolder = join(OUT, 'canary');
await bundleCanary(canaryFolder);
const workerImages = { x64: join(OUT, 'worker-x64'), arm64: join(OUT, 'worker-arm64') };
for (const [architecture, folder] of Object.entries(workerImages)) {
  await bundleWorker(folder, { architecture: architecture as keyof typeof workerImages });
  await copyFile(join(ROOT, 'gpu-worker', 'Dockerfile'), join(folder, 'Dockerfile'));
}
const consoleFolder = config.console === undefined ? undefined : await buildConsole(ROOT, progress);
const isFirstDeployment = String(node.tryGetContext('firstDeployment')) === 'true';
new SluiceApp({ config, folders, workerImages, canaryFolder, consoleFolder, isFirstDeployment }).synth();
