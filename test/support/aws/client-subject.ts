import type { Subject } from '../../contract/contract.ts';

type Time = { nowMs(): number; advance(ms: number): Promise<void> };

/** A client of a service as a contract's subject: who starts it again makes a new client, and its end loses nothing. */
export function clientSubject<P>(time: Time, open: () => P): Subject<P> {
  let port = open();
  const restart = async () => {
    port = open();
  };
  return {
    get port() {
      return port;
    },
    nowMs: () => time.nowMs(),
    advance: (ms) => time.advance(ms),
    reopen: restart,
    crash: restart,
    close: async () => {},
  };
}
