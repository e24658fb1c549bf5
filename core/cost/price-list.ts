import type { Purchase } from '../ports/meters.ts';

/** US dollars an hour, by instance type and how it is bought. */
export type PriceList = Readonly<Record<string, { readonly [How in Purchase]?: number | undefined }>>;

/** What a worker runs on. */
export type Bought = { readonly instanceType: string; readonly purchase: Purchase };

/** What an hour of a worker costs: as listed, else what its runners cost at the price of an hour of one runner. */
export function usdPerHour(
  prices: PriceList,
  { instanceType, purchase }: Bought,
  { runners, usdPerComputeHour }: { readonly runners: number; readonly usdPerComputeHour: number },
): number {
  return prices[instanceType]?.[purchase] ?? runners * usdPerComputeHour;
}
