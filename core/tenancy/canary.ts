/** The tenant whose requests are synthetic checks: one of its own in each region, in no directory, and in nobody's numbers. */
export const CANARY_TENANT = 'sluice-canary';
