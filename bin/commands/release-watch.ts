import type { ReleaseDetailJson } from '../../core/api/release-json.ts';
import { MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { NoAnswer, RequestRefused } from '../client.ts';
import { isJudged, nowLine, renderRelease, titleOf } from '../release-report.ts';

/** What watching needs of the world. */
export type Watching = {
  readonly read: () => Promise<ReleaseDetailJson>;
  readonly sleep: (ms: number) => Promise<void>;
  readonly nowMs: () => number;
  readonly screen: Screen;
};

/** Where it is shown: on a terminal over what was there before, elsewhere a line for every change. */
export type Screen = {
  readonly isTerminal: boolean;
  /** Takes the place of what was shown before. */
  show(text: string): void;
  /** Stays. */
  line(text: string): void;
};

const LOOK_EVERY_MS = SECOND_MS;
/** A region that is restarted answers again within this time. */
const MOST_SILENCE_MS = 2 * MINUTE_MS;

/** Shows a release until it has ended, and returns it then. A region that does not answer is asked again for two minutes. */
export async function watchRelease(watching: Watching): Promise<ReleaseDetailJson> {
  const { sleep, screen } = watching;
  let told = '';
  for (;;) {
    const release = await readPatiently(watching);
    if (screen.isTerminal) screen.show(renderRelease(release));
    else {
      if (told === '') screen.line(titleOf(release));
      const news = changeOf(release);
      if (news !== told) screen.line(`${new Date(watching.nowMs()).toISOString()} ${lineOf(release)}`);
      told = news;
    }
    if (release.state === 'promoted' || release.state === 'rolled-back') return release;
    await sleep(LOOK_EVERY_MS);
  }
}

async function readPatiently({ read, sleep, nowMs, screen }: Watching): Promise<ReleaseDetailJson> {
  for (const untilMs = nowMs() + MOST_SILENCE_MS; ; ) {
    try {
      return await read();
    } catch (error) {
      const passes = error instanceof NoAnswer || (error instanceof RequestRefused && error.status >= 500);
      if (!passes || nowMs() >= untilMs) throw error;
      screen.line(`no answer, asking again: ${error.message.split('\n')[0]}`);
      await sleep(LOOK_EVERY_MS);
    }
  }
}

/** What makes a line of its own where nothing can be shown over: not the time that is left. */
function changeOf({ state, step, attempt, approvals, verdict, weight_percent: weight }: ReleaseDetailJson): string {
  return JSON.stringify([state, step, attempt, approvals, verdict?.outcome, weight]);
}

function lineOf(release: ReleaseDetailJson): string {
  const { verdict, numbers } = release;
  const seen = numbers === null ? '' : `; ${numbers.candidate.requests} requests`;
  const hasVerdict = verdict !== null && isJudged(release) && release.state !== 'rolled-back';
  const judged = !hasVerdict ? '' : `; ${verdict.outcome}: ${verdict.sentence}`;
  return `${nowLine(release)}${seen}${judged}`;
}

/** A terminal's cursor goes back over what was shown; lines that are too long for it would make that wrong, and are cut. */
export function openScreen(stream: NodeJS.WriteStream): Screen {
  let shown = 0;
  const clear = () => {
    if (shown > 0) stream.write(`\u001b[${shown}A\u001b[J`);
    shown = 0;
  };
  return {
    isTerminal: stream.isTTY === true,
    show(text) {
      const lines = text.split('\n').map((line) => cut(line, stream.columns || 80));
      clear();
      stream.write(`${lines.join('\n')}\n`);
      shown = lines.length;
    },
    line(text) {
      clear();
      stream.write(`${text}\n`);
    },
  };
}

/** At most so many columns, colours not counted. */
function cut(line: string, columns: number): string {
  let seen = 0;
  let kept = '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal takes as a colour begins with one
  for (const [part] of line.matchAll(/\u001b\[[0-9;]*m|./gu)) {
    if (part.startsWith('\u001b')) kept += part;
    else if (seen < columns) {
      kept += part;
      seen += 1;
    }
  }
  return kept;
}
