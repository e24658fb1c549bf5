import { readFileSync } from 'node:fs';

/*
 * Loaded into a process before its own code, by NODE_OPTIONS: what time it is says a file. Timers run on.
 */

const { SLUICE_TEST_TIME_FILE: file = '' } = process.env;

Date.now = () => Number(readFileSync(file, 'utf8'));
