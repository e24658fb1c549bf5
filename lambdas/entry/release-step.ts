import { ReleaseNotices } from '../../core/release/release-notices.ts';
import { SegmentTelemetry } from '../../core/release/segment-telemetry.ts';
import { clockSchema, type Look, look, lookAtAll } from '../release/clock.ts';
import { start } from './main.ts';
import { openLambdaRegion } from './region.ts';

/**
 * Of an execution of the release clock: one look at its model's release. Of anything else, such as the schedule: one at every open release. Reads no
 * settings, so that a release ends while they cannot be read.
 */
export const handler = await start((lambda) => {
  const { environment, clock, log } = lambda;
  const { region, deployment } = environment;
  const storage = openLambdaRegion(lambda);
  const ports = { ...storage, clock, log, notices: new ReleaseNotices({ ...storage, log }, '') };
  const seen = new SegmentTelemetry(ports);
  return async (event: object): Promise<Look | undefined> => {
    try {
      if ('model' in event) return await look(ports, seen, clockSchema.parse(event), { deployment, region });
      await lookAtAll(ports, seen);
      return undefined;
    } finally {
      await storage.settled();
    }
  };
});
