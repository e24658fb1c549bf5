import type { Log } from '../../core/ports/log.ts';
import { type Fault, override } from './fault.ts';

export const BROKEN_LOG: readonly Fault<Log>[] = [
  {
    fault: 'quotes every error',
    caughtBy: 'names every cause with its code and stack, and quotes the message of a Failure alone',
    breaks: (log) =>
      override(log, {
        error: (message, cause, fields) => log.error(message, cause, { ...fields, reason: String(cause) }),
      }),
  },
  {
    fault: 'writes objects out',
    caughtBy: 'lets no object through as a field',
    breaks: (log) => override(log, { info: (message, fields) => log.info(message, { json: JSON.stringify(fields) }) }),
  },
  {
    fault: 'breaks a line in two',
    caughtBy: 'writes one JSON object a line with the message and its fields',
    breaks: (log) =>
      override(log, {
        warn(message, fields) {
          for (const line of message.split('\n')) log.warn(line, fields);
        },
      }),
  },
];
