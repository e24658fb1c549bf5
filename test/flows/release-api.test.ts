import { startRunning } from '../support/running-platform.ts';
import { describeReleaseApi } from './release-api.flow.ts';

describeReleaseApi(startRunning);
