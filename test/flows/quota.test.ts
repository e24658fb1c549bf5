import { startRunning } from '../support/running-platform.ts';
import { describeQuota } from './quota.flow.ts';

describeQuota(startRunning);
