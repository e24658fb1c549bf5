import type { DeadLetters } from '../../core/ports/dead-letters.ts';
import { BROKEN_DEAD_LETTERS } from '../support/broken-dead-letters.ts';
import { openLocalPlatform } from '../support/local-platform.ts';
import type { Adapter } from './contract.ts';
import { type DeadLettersSubject, deadLettersCases, describeDeadLettersContract } from './dead-letters.contract.ts';
import { expectCaught } from './expect-caught.ts';

const local: Adapter<DeadLetters, DeadLettersSubject> = {
  async open() {
    const platform = await openLocalPlatform();
    return {
      get port() {
        return platform.ports.deadLetters;
      },
      nowMs: () => platform.clock.nowMs(),
      advance: (ms) => platform.clock.advance(ms),
      reopen: () => platform.reopen(),
      crash: () => platform.crash(),
      close: () => platform.close(),
      destroyKey: (tenant) => platform.ports.dataKeys.destroy(tenant),
    };
  },
};

describeDeadLettersContract('local', local);
expectCaught('dead letters', deadLettersCases, local, BROKEN_DEAD_LETTERS);
