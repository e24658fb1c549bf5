import { useCallback, useEffect, useRef, useState } from 'react';

export type Action<Given extends readonly unknown[], Result> = {
  /** Undefined if it failed, with `error` saying why. A second call while one runs is not sent. */
  readonly run: (...given: Given) => Promise<Result | undefined>;
  readonly running: boolean;
  readonly error: unknown;
  readonly clear: () => void;
};

/** Something that the viewer does: sent once, never repeated by itself, and finished even if the viewer goes on to another page. */
export function useAction<Given extends readonly unknown[], Result>(
  perform: (...given: Given) => Promise<Result>,
): Action<Given, Result> {
  const [state, setState] = useState<{ readonly running: boolean; readonly error: unknown }>(IDLE);
  const latest = useRef(perform);
  latest.current = perform;
  const running = useRef(false);
  const mounted = useRef(true);
  useEffect(() => {
    mounted.current = true;
    return () => {
      mounted.current = false;
    };
  }, []);
  const run = useCallback(async (...given: Given) => {
    if (running.current) return undefined;
    running.current = true;
    setState({ running: true, error: undefined });
    let error: unknown;
    try {
      return await latest.current(...given);
    } catch (cause) {
      error = cause;
      return undefined;
    } finally {
      running.current = false;
      if (mounted.current) setState({ running: false, error });
    }
  }, []);
  const clear = useCallback(() => setState(IDLE), []);
  return { ...state, run, clear };
}

const IDLE = { running: false, error: undefined };
