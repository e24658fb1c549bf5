import type { Jobs } from '../../core/ports/jobs.ts';
import { type Adapter, describeContract } from './contract.ts';
import { endingCases } from './jobs-ending.ts';
import type { JobsCase } from './jobs-given.ts';
import { storingCases } from './jobs-storing.ts';
import { tellingCases } from './jobs-telling.ts';
import { waitingCases } from './jobs-waiting.ts';

export const jobsCases: readonly JobsCase[] = [...storingCases, ...endingCases, ...waitingCases, ...tellingCases];

export function describeJobsContract(name: string, adapter: Adapter<Jobs>): void {
  describeContract(`jobs: ${name}`, jobsCases, adapter);
}
