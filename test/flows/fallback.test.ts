import { startRunning } from '../support/running-platform.ts';
import { describeFallback } from './fallback.flow.ts';

describeFallback(startRunning);
