import { startRunning } from '../support/running-platform.ts';
import { describeMetrics } from './metrics.flow.ts';

describeMetrics(startRunning);
