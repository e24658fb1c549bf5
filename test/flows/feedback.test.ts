import { startRunning } from '../support/running-platform.ts';
import { describeFeedback } from './feedback.flow.ts';

describeFeedback(startRunning);
