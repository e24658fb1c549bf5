import {
  type Endpoints,
  type RegionEnvironment,
  readEndpoints,
  readRegionEnvironment,
} from '../../adapters/aws/environment.ts';
import { JsonLog } from '../../adapters/node/json-log.ts';
import { SystemClock } from '../../adapters/node/system-clock.ts';
import type { Clock } from '../../core/ports/clock.ts';

/** What one process of a deployed function starts from. */
export type LambdaProcess = {
  readonly environment: RegionEnvironment;
  readonly endpoints: Endpoints;
  /** For what only one function is told. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: JsonLog;
  /** Writes a metric line. */
  readonly write: (line: string) => void;
};

/** Composes a function, once a process. What keeps it from starting is logged and thrown: Lambda starts another process. */
export async function start<T>(compose: (lambda: LambdaProcess) => T | Promise<T>): Promise<T> {
  const { env: variables, stdout } = process;
  const clock = new SystemClock();
  const fixed = { region: variables.SLUICE_REGION, function: variables.AWS_LAMBDA_FUNCTION_NAME };
  const log = new JsonLog(stdout, clock, 'info', fixed);
  try {
    const environment = readRegionEnvironment(variables);
    const write = (line: string) => void stdout.write(line);
    return await compose({ environment, endpoints: readEndpoints(variables), variables, clock, log, write });
  } catch (error) {
    // No secret is read before something is asked for, so that none can be in the message.
    log.error('the function cannot start', error, { reason: error instanceof Error ? error.message : undefined });
    throw error;
  }
}
