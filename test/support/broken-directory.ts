import type { Directory } from '../../core/ports/directory.ts';
import { type Fault, override } from './fault.ts';

export const BROKEN_DIRECTORY: readonly Fault<Directory>[] = [
  {
    fault: 'lets a tenant be moved by whoever writes last',
    caughtBy: 'changes the policy of a tenant at home, and never its home',
    breaks: (directory) =>
      override(directory, {
        async put(entry) {
          await directory.remove(entry.tenant);
          await directory.put(entry);
        },
      }),
  },
  {
    fault: 'looks and writes in two steps',
    caughtBy: 'lets one of two regions that want the same tenant have it',
    breaks: (directory) =>
      override(directory, {
        async put(entry) {
          if ((await directory.lookup(entry.tenant)) !== undefined) return directory.put(entry);
          await directory.remove(entry.tenant);
          await directory.put(entry).catch(() => {});
        },
      }),
  },
];
