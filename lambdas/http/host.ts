import type { Gateway } from '../../core/inference/gateway.ts';
import type { Platform } from '../../core/ports/platform.ts';

/** What handlers are made from: the ports of one region, and the gateway that its requests share. None of it runs a model. */
export type HttpHost = Omit<Platform, 'graphs' | 'sandbox'> & { readonly gateway: Gateway };

/** A host that can run models too. */
export type ModelHost = HttpHost & Pick<Platform, 'sandbox'>;
