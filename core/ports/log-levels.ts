/** From most to least. */
export const LOGGED_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LoggedLevel = (typeof LOGGED_LEVELS)[number];

/** What the processes of a region log for a while, in place of what they were started with. */
export type LogLevelChange = { readonly level: LoggedLevel; readonly untilMs: number; readonly by: string };

/** The latest change of a region; durable when it resolves, read strongly. */
export interface LogLevels {
  put(change: LogLevelChange): Promise<void>;
  /** Undefined: there was none. One that is over is read still. */
  read(): Promise<LogLevelChange | undefined>;
}
