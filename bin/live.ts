import { paint } from './table.ts';

/** What happens while a command works, on stderr: stdout is for its result. */
export type Live = {
  /** A line that stays. */
  line(text: string): void;
  /** What is going on now: replaced by what comes next, and seen on terminals only. */
  doing(text: string): void;
  /** Takes away what `doing` has left. */
  end(): void;
};

export const SILENT: Live = { line() {}, doing() {}, end() {} };

const CLEAR_LINE = '\r\u001b[K';

export function openLive(stream: NodeJS.WriteStream): Live {
  let isDoing = false;
  const clear = () => {
    if (isDoing) stream.write(CLEAR_LINE);
    isDoing = false;
  };
  return {
    line(text) {
      clear();
      stream.write(`${text}\n`);
    },
    doing(text) {
      if (!stream.isTTY) return;
      const room = Math.max(10, (stream.columns || 80) - 3);
      stream.write(`${CLEAR_LINE}${paint('dim', `… ${text.slice(0, room)}`)}`);
      isDoing = true;
    },
    end: clear,
  };
}
