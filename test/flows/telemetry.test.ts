import { startRunning } from '../support/running-platform.ts';
import { describeTelemetry } from './telemetry.flow.ts';

describeTelemetry(startRunning);
