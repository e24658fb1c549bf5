import { startRunning } from '../support/running-platform.ts';
import { describePredict } from './predict.flow.ts';

describePredict(startRunning);
