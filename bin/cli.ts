import { Command } from 'commander';
import { PRODUCT_VERSION } from '../core/version.ts';
import { addAuditCommands } from './commands/audit.ts';
import { addCostCommands } from './commands/cost.ts';
import { addDeadLetterCommands } from './commands/dead-letters.ts';
import { addFeedbackCommand } from './commands/feedback.ts';
import { addModelCommands } from './commands/model.ts';
import { addOperationsCommands } from './commands/operations.ts';
import { addPredictCommand } from './commands/predict.ts';
import { addQualityCommand } from './commands/quality.ts';
import { addReleaseCommands } from './commands/release.ts';
import { addStartCommands } from './commands/start.ts';
import { addTenantCommands } from './commands/tenant.ts';
import { addWebhookCommands } from './commands/webhook.ts';

/** The whole command line; sets the exit code. */
export async function runCommandLine(): Promise<void> {
  const program = new Command('sluice')
    .description('Serve ONNX models to many tenants')
    .version(PRODUCT_VERSION)
    // So that `model show <model> --version 2` is not asked for the program's.
    .enablePositionalOptions()
    .showHelpAfterError('(add --help for the options)');
  addStartCommands(program);
  addModelCommands(program);
  addReleaseCommands(program);
  addQualityCommand(program);
  addTenantCommands(program);
  addPredictCommand(program);
  addFeedbackCommand(program);
  addWebhookCommands(program);
  addOperationsCommands(program);
  addDeadLetterCommands(program);
  addAuditCommands(program);
  addCostCommands(program);
  try {
    await program.parseAsync();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
