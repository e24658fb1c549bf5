/** Names, sizes, outcomes, times. Never payload, label text or a secret. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** JSON lines for operators; must not throw and must not block. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  /** `cause` is logged as its name, code and stack; its message only where it is a Failure's. */
  error(message: string, cause: unknown, fields?: LogFields): void;
}
