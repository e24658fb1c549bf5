import { describeAnswersContract } from './answers.contract.ts';
import { describeArtifactsContract } from './artifacts.contract.ts';
import { describeBudgetsContract } from './budgets.contract.ts';
import { describeCapacityContract } from './capacity.contract.ts';
import { describeCapturesContract } from './captures.contract.ts';
import { describeClockContract } from './clock.contract.ts';
import { describeDataKeysContract } from './data-keys.contract.ts';
import { describeDirectoryContract } from './directory.contract.ts';
import { describeFeedbacksContract } from './feedbacks.contract.ts';
import { describeIdempotencyContract } from './idempotency.contract.ts';
import { describeJobQueueContract } from './job-queue.contract.ts';
import { describeJobsContract } from './jobs.contract.ts';
import { describeLimitsContract } from './limits.contract.ts';
import {
  localArtifacts,
  localClock,
  localDirectory,
  localLog,
  localPort,
  localSandbox,
  localTokenizers,
  localUploads,
  localWake,
} from './local-adapters.ts';
import { describeLogContract } from './log.contract.ts';
import { describeMetersContract } from './meters.contract.ts';
import { describeQuarantineContract } from './quarantine.contract.ts';
import { describeRegistryContract } from './registry.contract.ts';
import { describeSandboxContract } from './sandbox.contract.ts';
import { describeTelemetryContract } from './telemetry.contract.ts';
import { describeTokenizersContract } from './tokenizers.contract.ts';
import { describeUploadsContract } from './uploads.contract.ts';
import { describeValidationsContract } from './validations.contract.ts';
import { describeWakeContract } from './wake.contract.ts';
import { describeWebhooksContract } from './webhooks.contract.ts';

describeClockContract('local', localClock);
describeLogContract('local', localLog);
describeDirectoryContract('local', localDirectory);
describeRegistryContract('local', localPort('registry'));
describeAnswersContract('local', localPort('answers'));
describeArtifactsContract('local', localArtifacts);
describeSandboxContract('local', localSandbox);
describeTokenizersContract('local', localTokenizers);
describeUploadsContract('local', localUploads);
describeLimitsContract('local', localPort('limits'));
describeIdempotencyContract('local', localPort('idempotency'));
describeJobsContract('local', localPort('jobs'));
describeJobQueueContract('local', localPort('queue'));
describeCapacityContract('local', localPort('capacity'));
describeCapturesContract('local', localPort('captures'));
describeFeedbacksContract('local', localPort('feedbacks'));
describeDataKeysContract('local', localPort('dataKeys'));
describeQuarantineContract('local', localPort('quarantine'));
describeValidationsContract('local', localPort('validations'));
describeMetersContract('local', localPort('meters'));
describeBudgetsContract('local', localPort('budgets'));
describeTelemetryContract('local', localPort('telemetry'));
describeWakeContract('local', localWake);
describeWebhooksContract('local', localPort('webhooks'));
