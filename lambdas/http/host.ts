import type { Gateway } from '../../core/inference/gateway.ts';
import type { Platform } from '../../core/ports/platform.ts';

/** What handlers are made from: the ports of one region, and the gateway that its requests share. */
export type HttpHost = Platform & { readonly gateway: Gateway };
