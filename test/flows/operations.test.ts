import { startRunning } from '../support/running-platform.ts';
import { describeOperations } from './operations.flow.ts';

describeOperations(startRunning);
