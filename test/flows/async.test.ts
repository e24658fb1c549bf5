import { startRunning } from '../support/running-platform.ts';
import { describeAsync } from './async.flow.ts';

describeAsync(startRunning);
