import type { Platform } from '../../ports/platform.ts';
import type { QualityNotice, QualityState } from './quality-record.ts';

/** Takes notices durably; they may come again, the same with the same names. */
export type TellNotices = (notices: readonly QualityNotice[]) => Promise<void>;

/** Tells what a state has to tell, and then notes that it was told: at least once, whatever ends in between. */
export async function tellUntold(
  { qualityReports }: Pick<Platform, 'qualityReports'>,
  state: QualityState,
  tell: TellNotices,
): Promise<void> {
  if (state.untold.length === 0) return;
  await tell(state.untold);
  // If somebody else has changed it since, the same is told again.
  await qualityReports.writeState({ ...state, epoch: state.epoch + 1, untold: [] }, []);
}

/** Names a notice among all: it has the same whoever tells it, and however often. */
export function nameOfNotice({ event, reason, model, version, atMs, window }: QualityNotice): string {
  return `${event}/${model}/${version}/${reason}/${window?.untilMs ?? atMs}`;
}
