import { BROKEN_ANSWERS } from '../support/broken-answers.ts';
import { BROKEN_ARTIFACTS } from '../support/broken-artifacts.ts';
import { BROKEN_BUDGETS } from '../support/broken-budgets.ts';
import { BROKEN_CAPACITY } from '../support/broken-capacity.ts';
import { BROKEN_CAPTURES } from '../support/broken-captures.ts';
import { BROKEN_CLOCK } from '../support/broken-clock.ts';
import { BROKEN_DATA_KEYS } from '../support/broken-data-keys.ts';
import { BROKEN_DIRECTORY } from '../support/broken-directory.ts';
import { BROKEN_FEEDBACKS } from '../support/broken-feedbacks.ts';
import { BROKEN_IDEMPOTENCY } from '../support/broken-idempotency.ts';
import { BROKEN_JOB_QUEUE } from '../support/broken-job-queue.ts';
import { BROKEN_JOBS } from '../support/broken-jobs.ts';
import { BROKEN_LIMITS } from '../support/broken-limits.ts';
import { BROKEN_LOG } from '../support/broken-log.ts';
import { BROKEN_METERS } from '../support/broken-meters.ts';
import { BROKEN_NOTICES } from '../support/broken-notices.ts';
import { BROKEN_QUARANTINE } from '../support/broken-quarantine.ts';
import { BROKEN_REGISTRY } from '../support/broken-registry.ts';
import { BROKEN_RELEASES } from '../support/broken-releases.ts';
import { BROKEN_SANDBOX } from '../support/broken-sandbox.ts';
import { BROKEN_TELEMETRY } from '../support/broken-telemetry.ts';
import { BROKEN_TOKENIZERS } from '../support/broken-tokenizers.ts';
import { BROKEN_UPLOADS } from '../support/broken-uploads.ts';
import { BROKEN_VALIDATIONS } from '../support/broken-validations.ts';
import { BROKEN_WEBHOOKS } from '../support/broken-webhooks.ts';
import { answersCases } from './answers.contract.ts';
import { artifactsCases } from './artifacts.contract.ts';
import { budgetsCases } from './budgets.contract.ts';
import { capacityCases } from './capacity.contract.ts';
import { capturesCases } from './captures.contract.ts';
import { clockCases } from './clock.contract.ts';
import { dataKeysCases } from './data-keys.contract.ts';
import { directoryCases } from './directory.contract.ts';
import { expectCaught } from './expect-caught.ts';
import { feedbacksCases } from './feedbacks.contract.ts';
import { idempotencyCases } from './idempotency.contract.ts';
import { jobQueueCases } from './job-queue.contract.ts';
import { jobsCases } from './jobs.contract.ts';
import { limitsCases } from './limits.contract.ts';
import {
  localArtifacts,
  localClock,
  localDirectory,
  localLog,
  localPort,
  localSandbox,
  localTokenizers,
  localUploads,
} from './local-adapters.ts';
import { logCases } from './log.contract.ts';
import { metersCases } from './meters.contract.ts';
import { quarantineCases } from './quarantine.contract.ts';
import { registryCases } from './registry.contract.ts';
import { releasesCases } from './releases.contract.ts';
import { sandboxCases } from './sandbox.contract.ts';
import { telemetryCases } from './telemetry.contract.ts';
import { tokenizersCases } from './tokenizers.contract.ts';
import { uploadsCases } from './uploads.contract.ts';
import { validationsCases } from './validations.contract.ts';
import { webhooksCases } from './webhooks.contract.ts';

expectCaught('clock', clockCases, localClock, BROKEN_CLOCK);
expectCaught('log', logCases, localLog, BROKEN_LOG);
expectCaught('directory', directoryCases, localDirectory, BROKEN_DIRECTORY);
expectCaught('registry', registryCases, localPort('registry'), BROKEN_REGISTRY);
expectCaught('answers', answersCases, localPort('answers'), BROKEN_ANSWERS);
expectCaught('artifacts', artifactsCases, localArtifacts, BROKEN_ARTIFACTS);
expectCaught('sandbox', sandboxCases, localSandbox, BROKEN_SANDBOX);
expectCaught('tokenizers', tokenizersCases, localTokenizers, BROKEN_TOKENIZERS);
expectCaught('uploads', uploadsCases, localUploads, BROKEN_UPLOADS);
expectCaught('limits', limitsCases, localPort('limits'), BROKEN_LIMITS);
expectCaught('idempotency', idempotencyCases, localPort('idempotency'), BROKEN_IDEMPOTENCY);
expectCaught('jobs', jobsCases, localPort('jobs'), BROKEN_JOBS);
expectCaught('jobs (telling)', jobsCases, localPort('jobs'), BROKEN_NOTICES);
expectCaught('job queue', jobQueueCases, localPort('queue'), BROKEN_JOB_QUEUE);
expectCaught('capacity', capacityCases, localPort('capacity'), BROKEN_CAPACITY);
expectCaught('feedbacks', feedbacksCases, localPort('feedbacks'), BROKEN_FEEDBACKS);
expectCaught('captures', capturesCases, localPort('captures'), BROKEN_CAPTURES);
expectCaught('data keys', dataKeysCases, localPort('dataKeys'), BROKEN_DATA_KEYS);
expectCaught('quarantine', quarantineCases, localPort('quarantine'), BROKEN_QUARANTINE);
expectCaught('releases', releasesCases, localPort('releases'), BROKEN_RELEASES);
expectCaught('meters', metersCases, localPort('meters'), BROKEN_METERS);
expectCaught('budgets', budgetsCases, localPort('budgets'), BROKEN_BUDGETS);
expectCaught('telemetry', telemetryCases, localPort('telemetry'), BROKEN_TELEMETRY);
expectCaught('webhooks', webhooksCases, localPort('webhooks'), BROKEN_WEBHOOKS);
expectCaught('validations', validationsCases, localPort('validations'), BROKEN_VALIDATIONS);
