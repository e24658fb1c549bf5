import { startRunning } from '../support/running-platform.ts';
import { describeCost } from './cost.flow.ts';

describeCost(startRunning);
