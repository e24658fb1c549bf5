import { startRunning } from '../support/running-platform.ts';
import { describeIdempotency } from './idempotency.flow.ts';

describeIdempotency(startRunning);
