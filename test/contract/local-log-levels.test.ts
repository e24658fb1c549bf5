import type { LogLevelChange, LogLevels } from '../../core/ports/log-levels.ts';
import { type Fault, override } from '../support/fault.ts';
import { expectCaught } from './expect-caught.ts';
import { localPort } from './local-adapters.ts';
import { describeLogLevelsContract, logLevelsCases } from './log-levels.contract.ts';

const IN_MEMORY: Fault<LogLevels> = {
  fault: 'keeps it in the memory of one process',
  caughtBy: 'keeps the latest change, after a crash too',
  breaks(levels) {
    let kept: LogLevelChange | undefined;
    return override(levels, {
      async put(change) {
        kept = change;
      },
      read: async () => kept,
    });
  },
};

describeLogLevelsContract('local', localPort('logLevels'));
expectCaught('log levels', logLevelsCases, localPort('logLevels'), [IN_MEMORY]);
