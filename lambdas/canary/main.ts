import { secretsManagerClient } from '../../adapters/aws/clients.ts';
import { Secrets } from '../../adapters/aws/secrets.ts';
import { askAt } from '../../adapters/node/ask.ts';
import { JsonLog } from '../../adapters/node/json-log.ts';
import { SystemClock } from '../../adapters/node/system-clock.ts';
import { type CheckedModel, runChecks } from '../../core/operations/synthetic.ts';
import type { CheckResult } from '../../core/operations/watch-record.ts';

/** What CloudWatch Synthetics runs: asks a region as a caller would, and fails if an answer was not as it should be. */
export async function handler(): Promise<readonly CheckResult[]> {
  const { env, stdout } = process;
  const clock = new SystemClock();
  const log = new JsonLog(stdout, clock, 'info', { region: env.SLUICE_REGION });
  const client = secretsManagerClient({ region: wanted('AWS_REGION'), endpoint: env.AWS_ENDPOINT_URL_SECRETS_MANAGER });
  const apiKey = await new Secrets(client).read(wanted('SLUICE_CANARY_KEY_SECRET'));
  if (apiKey === undefined) throw new Error('the secret of the canary has no value: `setup` has not run');
  const checks = await runChecks({
    ask: askAt(wanted('SLUICE_URL')),
    apiKey,
    checked: checkedOf(env),
    log,
    nowMs: () => clock.nowMs(),
  });
  const failed = checks.filter(({ ok }) => !ok);
  if (failed.length > 0)
    throw new Error(failed.map(({ check, status }) => `${check}: ${status === 0 ? 'no answer' : status}`).join(', '));
  return checks;

  function wanted(name: string): string {
    const value = env[name];
    if (value === undefined) throw new Error(`the environment has no ${name}`);
    return value;
  }
}

function checkedOf(env: Readonly<Record<string, string | undefined>>): CheckedModel | undefined {
  const { SLUICE_CHECKED_MODEL: model = '', SLUICE_CHECKED_BODY: body = '{}' } = env;
  return model === '' ? undefined : { model, body: JSON.parse(body) as object };
}
