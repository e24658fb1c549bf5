import { startRunning } from '../support/running-platform.ts';
import { describeReleasePath } from './release-path.flow.ts';

describeReleasePath(startRunning);
