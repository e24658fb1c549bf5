import type { Command } from 'commander';
import { type ActsFor, actingClient, forTerminal, SAMPLE_TENANT } from '../tenant-client.ts';

type FeedbackOptions = ActsFor & { readonly at?: string; readonly json?: boolean };

export function addFeedbackCommand(program: Command): void {
  program
    .command('feedback <prediction> <label...>')
    .description('tell the true label of a prediction, one for each of its rows')
    .option('--at <time>', 'when it became known, in ISO 8601 (default: now)')
    .option('--tenant <id>', `tenant to tell it for (default: ${SAMPLE_TENANT}, or the tenant of the key)`)
    .option('--url <url>', 'base URL of its region (SLUICE_URL; default: the one on this machine)')
    .option('--key <apiKey>', 'API key (SLUICE_API_KEY; default: of the sample tenant of that name, else the operator)')
    .option('--json', 'print JSON')
    .action(feedback);
}

async function feedback(prediction: string, labels: readonly string[], options: FeedbackOptions): Promise<void> {
  const { client, url } = await actingClient(options);
  try {
    const told = await client.predictions.giveFeedback(prediction, labels, { at: options.at });
    if (options.json) console.log(JSON.stringify({ id: prediction, counted: told === 'counted' }, null, 2));
    else console.log(told === 'counted' ? 'Counted.' : 'Told before: counted once.');
  } catch (error) {
    throw forTerminal(error, url);
  }
}
