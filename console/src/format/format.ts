import { DAY_MS, GIB, HOUR_MS, KIB, MIB, MINUTE_MS, SECOND_MS } from '../../../core/units.ts';

/** What stands where there is no value. */
export const NOTHING = '–';

type Maybe = number | null | undefined;
const isNumber = (value: Maybe): value is number => typeof value === 'number' && Number.isFinite(value);

const LOCALE = 'en-GB';
const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
// A million is m in British English, which reads as a thousandth here.
const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 });
const threeDigits = new Intl.NumberFormat(LOCALE, { maximumSignificantDigits: 3 });

/** 1,234,567. */
export function count(value: Maybe): string {
  return isNumber(value) ? whole.format(value) : NOTHING;
}

/** 1.2M: for places without room. */
export function shortCount(value: Maybe): string {
  return isNumber(value) ? compact.format(value) : NOTHING;
}

/** Three significant digits: 0.0123, 4.56, 789. */
export function figure(value: Maybe): string {
  return isNumber(value) ? (Math.abs(value) >= 1000 ? whole.format(value) : threeDigits.format(value)) : NOTHING;
}

/** 0.1234 as 12.3 %; a share that is not zero never reads as such. */
export function percent(share: Maybe): string {
  if (!isNumber(share)) return NOTHING;
  const percents = share * 100;
  if (percents > 0 && percents < 0.01) return '< 0.01 %';
  return `${new Intl.NumberFormat(LOCALE, { maximumFractionDigits: Math.abs(percents) < 10 ? 2 : 1 }).format(percents)} %`;
}

/** A duration in the unit that suits it: 0.93 ms, 120 ms, 4.2 s, 3 min 20 s, 5 h, 2 d. */
export function duration(ms: Maybe): string {
  if (!isNumber(ms)) return NOTHING;
  if (ms < SECOND_MS) return `${threeDigits.format(ms)} ms`;
  if (ms < MINUTE_MS) return `${threeDigits.format(ms / SECOND_MS)} s`;
  if (ms < HOUR_MS) return twoUnits(ms, MINUTE_MS, 'min', SECOND_MS, 's');
  if (ms < DAY_MS) return twoUnits(ms, HOUR_MS, 'h', MINUTE_MS, 'min');
  return twoUnits(ms, DAY_MS, 'd', HOUR_MS, 'h');
}

function twoUnits(ms: number, largeMs: number, large: string, smallMs: number, small: string): string {
  const smalls = Math.round(ms / smallMs);
  const perLarge = largeMs / smallMs;
  const rest = smalls % perLarge;
  const first = `${whole.format(Math.floor(smalls / perLarge))} ${large}`;
  return rest === 0 ? first : `${first} ${rest} ${small}`;
}

export function seconds(value: Maybe): string {
  if (value === 0) return '0 s';
  return isNumber(value) ? duration(value * SECOND_MS) : NOTHING;
}

/** 12.3/s. */
export function perSecond(value: Maybe): string {
  return isNumber(value) ? `${figure(value)}/s` : NOTHING;
}

export function bytes(value: Maybe): string {
  if (!isNumber(value)) return NOTHING;
  if (value < KIB) return `${whole.format(value)} B`;
  if (value < MIB) return `${threeDigits.format(value / KIB)} KiB`;
  if (value < GIB) return `${threeDigits.format(value / MIB)} MiB`;
  return `${threeDigits.format(value / GIB)} GiB`;
}

/** $1,234.56; below a cent with two significant digits, so that small costs do not read as none. */
export function usd(value: Maybe): string {
  if (!isNumber(value)) return NOTHING;
  const small = value !== 0 && Math.abs(value) < 0.01;
  const digits = small ? { maximumSignificantDigits: 2 } : { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  return new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD', ...digits }).format(value);
}

/** A moment as the API writes it: ISO 8601, or Unix milliseconds. */
export type Moment = string | number | null | undefined;

export function toMs(moment: Moment): number | undefined {
  if (moment === null || moment === undefined) return undefined;
  const ms = typeof moment === 'number' ? moment : Date.parse(moment);
  return Number.isNaN(ms) ? undefined : ms;
}

const dateAndTime = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'medium' });
const timeOnly = new Intl.DateTimeFormat(LOCALE, { hour: '2-digit', minute: '2-digit' });
const dayOnly = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short' });
const dateOnly = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium' });

/** In the viewer's zone. */
export function dateTime(moment: Moment): string {
  const ms = toMs(moment);
  return ms === undefined ? NOTHING : dateAndTime.format(ms);
}

/** Of a point in a span: the hour where that is short, the day where it is days, both where it is one or two. */
export function timeIn(moment: Moment, spanMs: number): string {
  const ms = toMs(moment);
  if (ms === undefined) return NOTHING;
  if (spanMs <= DAY_MS) return timeOnly.format(ms);
  return spanMs <= 3 * DAY_MS ? `${dayOnly.format(ms)} ${timeOnly.format(ms)}` : dayOnly.format(ms);
}

export function date(moment: Moment): string {
  const ms = toMs(moment);
  return ms === undefined ? NOTHING : dateOnly.format(ms);
}

/** "12 s ago", "in 3 min": one unit, as a glance needs no more. */
export function relative(moment: Moment, nowMs: number): string {
  const ms = toMs(moment);
  if (ms === undefined) return NOTHING;
  const awayMs = Math.abs(nowMs - ms);
  if (awayMs < SECOND_MS) return 'now';
  const text = oneUnit(awayMs);
  return ms <= nowMs ? `${text} ago` : `in ${text}`;
}

function oneUnit(ms: number): string {
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  if (ms < DAY_MS) return `${Math.floor(ms / HOUR_MS)} h`;
  return `${Math.floor(ms / DAY_MS)} d`;
}

/** A value in a unit that the API names. */
export function inUnit(value: Maybe, unit: string): string {
  if (!isNumber(value)) return NOTHING;
  switch (unit) {
    case 'share':
      return percent(value);
    case 'ms':
      return duration(value);
    case 's':
      return seconds(value);
    case 'usd':
      return usd(value);
    case 'days':
      return `${figure(value)} d`;
    case 'ratio':
      return `${figure(value)} ×`;
    case 'flag':
      return value === 0 ? 'no' : 'yes';
    default:
      return figure(value);
  }
}
