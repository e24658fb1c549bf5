import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { SluiceApp } from '../lib/app.ts';
import { bundleFunctions } from '../lib/bundle.ts';
import { loadConfig } from '../lib/config.ts';

const ROOT = join(import.meta.dirname, '..');

/*
 * What `cdk` runs: an environment's file in, templates out. `-c config=<file>` names the file.
 */
const file = new App().node.tryGetContext('config') ?? 'config/example.json';
const config = loadConfig(join(ROOT, String(file)));
const { folders } = await bundleFunctions(join(ROOT, 'dist', 'functions'));
new SluiceApp(config, folders).synth();
