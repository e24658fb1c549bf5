#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { Command } from 'commander';
import { addModelCommands } from './commands/model.ts';
import { addStartCommands } from './commands/start.ts';
import { addTenantCommands } from './commands/tenant.ts';

enableCompileCache();

const program = new Command('sluice')
  .description('Serve ONNX models to many tenants')
  .version('0.1.0')
  .showHelpAfterError('(add --help for the options)');
addStartCommands(program);
addModelCommands(program);
addTenantCommands(program);

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
