import { type AuditDraft, NOBODY } from '../../core/audit/entry.ts';
import { asFailure } from '../../core/failure.ts';
import type { Platform } from '../../core/ports/platform.ts';
import { MINUTE_MS } from '../../core/units.ts';
import type { Exchange, Middleware, Step } from './exchange.ts';

type AuditPorts = Pick<Platform, 'audits' | 'registry' | 'clock' | 'log'>;

/** What strangers could write as fast as they can ask is recorded as often as this by a process, and counted beyond it. */
const REFUSALS_A_MINUTE = 60;
const MOST_TEXT = 500;

/** Changes nothing that is stored, and a busy customer asks for one a session; or is allowed by a token of another request, which is recorded. */
const UNRECORDED: ReadonlySet<string> = new Set(['browser-token-create', 'upload-receive']);

export type AuditSteps = {
  /** Around everything: records how it was answered, and who was refused. */
  readonly outer: Middleware;
  /** Right before the handler: nothing is changed that was not recorded before. Throws what keeps it from being recorded. */
  readonly inner: Middleware;
};

/**
 * Records a request that changes something, before and after: an entry that it begins, one that it was answered. Where the second cannot be written the first
 * stays and says that nobody knows what became of it. Requests of another region's tenants are not recorded here, nor what strangers name.
 */
export function audit(ports: AuditPorts, action: string): AuditSteps {
  const refusals = new Refusals();
  const after = async ({ event: exchange, response, error }: Step) => {
    const status = response?.status ?? 500;
    const code = error == null ? undefined : asFailure(error).code;
    try {
      if (exchange.begun !== undefined) await ports.audits.append(endOf(ports, exchange, { status, code, response }));
      else if (exchange.elsewhere === undefined && (status === 401 || status === 403)) {
        const skipped = refusals.take(ports.clock.nowMs());
        if (skipped === undefined) return;
        const draft = await draftOf(ports, exchange, action);
        const outcome = { kind: 'ended', status, code } as const;
        await ports.audits.append({ ...draft, outcome, ...(skipped > 0 && { skipped }) });
      }
    } catch (failure) {
      const fields = { request_id: exchange.invocation.requestId, route: action };
      ports.log.error('the end of a request was not recorded', failure, fields);
    }
  };
  const before = async ({ event: exchange }: Step) => {
    if (UNRECORDED.has(action)) return;
    const draft = await draftOf(ports, exchange, action);
    const { seq } = await ports.audits.append({ ...draft, outcome: { kind: 'begun' } });
    exchange.begun = { seq, draft };
  };
  return { outer: { after, onError: after }, inner: { before } };
}

type End = { readonly status: number; readonly code: string | undefined; readonly response: Step['response'] };

/** With where that is which was made, if anything was: only then an answer says a place. */
function endOf({ clock }: AuditPorts, exchange: Exchange, { status, code, response }: End): AuditDraft {
  const { seq, draft } = exchange.begun!;
  exchange.begun = undefined;
  const made = response?.headers.Location;
  return {
    ...draft,
    atMs: clock.nowMs(),
    target: { ...draft.target, ...(made !== undefined && { made: made.slice(0, MOST_TEXT) }) },
    outcome: { kind: 'ended', status, code, begunSeq: seq },
    reason: reasonOf(exchange),
  };
}

/** Of whom nothing is known but that it was refused, what it named is left out. */
async function draftOf(ports: AuditPorts, exchange: Exchange, action: string): Promise<Omit<AuditDraft, 'outcome'>> {
  const { principal } = exchange;
  const request = { atMs: ports.clock.nowMs(), action };
  if (principal === undefined) return { ...request, by: NOBODY, role: NOBODY, target: {} };
  const { tenant: named, ...target } = exchange.event.pathParameters ?? {};
  // Another region's tenant is not noted down here: what names it is refused.
  const isHere =
    named !== undefined && (named === principal.tenant || (await ports.registry.readTenant(named)) !== undefined);
  const tenant = principal.tenant ?? (isHere ? named : undefined);
  return {
    ...request,
    by: principal.id.slice(0, MOST_TEXT),
    role: principal.role,
    ...(tenant !== undefined && { tenant }),
    target: Object.fromEntries(
      Object.entries({ ...target, ...(isHere && { tenant: named }) }).flatMap(([name, value]) =>
        value === undefined || value === '' ? [] : [[name, value.slice(0, MOST_TEXT)]],
      ),
    ),
  };
}

function reasonOf({ reason }: Exchange): string | undefined {
  return reason === undefined || reason === '' ? undefined : reason.slice(0, MOST_TEXT);
}

/** How many refusals were left out before this one; undefined: leave this one out too. */
class Refusals {
  #minute = 0;
  #taken = 0;
  #skipped = 0;

  take(nowMs: number): number | undefined {
    const minute = Math.floor(nowMs / MINUTE_MS);
    if (minute !== this.#minute) [this.#minute, this.#taken] = [minute, 0];
    if (this.#taken >= REFUSALS_A_MINUTE) {
      this.#skipped += 1;
      return undefined;
    }
    this.#taken += 1;
    const skipped = this.#skipped;
    this.#skipped = 0;
    return skipped;
  }
}
