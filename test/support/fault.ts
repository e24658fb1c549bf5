/** One way of being subtly wrong, and the name of the contract's case that must find it out. */
export type Fault<P> = { readonly fault: string; readonly caughtBy: string; readonly breaks: (port: P) => P };

/** The port with some methods changed. */
export function override<P extends object>(port: P, changes: Partial<P>): P {
  return new Proxy(port, {
    get(target, name) {
      if (name in changes) return changes[name as keyof P];
      const member = target[name as keyof P];
      // Bound to the port itself: its private fields are not the proxy's.
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
