import type { Graphs } from '../../core/ports/graphs.ts';

/** Takes every file as it is, for tests in which no graph is looked at. */
export const PLAIN_GRAPHS: Graphs = {
  prepare: async (path) => ({ path, repairs: [], summary: 'not looked at', discard: async () => {} }),
};
