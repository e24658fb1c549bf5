import { startRunning } from '../support/running-platform.ts';
import { describeControlPlane } from './control-plane.flow.ts';

describeControlPlane(startRunning);
