import { startRunning } from '../support/running-platform.ts';
import { describeRegions } from './regions.flow.ts';

describeRegions(startRunning);
