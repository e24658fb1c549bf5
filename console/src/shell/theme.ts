import { applyMode, Mode } from '@cloudscape-design/global-styles';
import { useSyncExternalStore } from 'react';
// Of the very version whose styles are loaded: names in the package of tokens end in digests of another.
import * as tokens from '../../../node_modules/@cloudscape-design/components/internal/generated/styles/tokens.js';

/** `system` follows what the viewer's system says, as it changes. */
export type Theme = 'system' | 'light' | 'dark';

const KEY = 'sluice.theme';
const system = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();
let theme: Theme = readTheme();

function readTheme(): Theme {
  const kept = localStorage.getItem(KEY);
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}

export function isDark(): boolean {
  return theme === 'system' ? system.matches : theme === 'dark';
}

/** Cloudscape's colours by the names that our own style sheet uses; they change with its mode. */
const OWN_NAMES = {
  '--page': tokens.colorBackgroundLayoutMain,
  '--surface': tokens.colorBackgroundContainerContent,
  '--text': tokens.colorTextBodyDefault,
  '--text-quiet': tokens.colorTextBodySecondary,
  '--line': tokens.colorBorderDividerDefault,
  '--grid': tokens.colorChartsLineGrid,
  '--focus': tokens.colorBorderItemFocused,
  '--accent': tokens.colorTextStatusInfo,
  '--good': tokens.colorTextStatusSuccess,
  '--warning': tokens.colorTextStatusWarning,
  '--bad': tokens.colorTextStatusError,
  '--quiet-fill': tokens.colorBackgroundCellShaded,
  '--font': tokens.fontFamilyBase,
  '--series-1': tokens.colorChartsPaletteCategorical1,
  '--series-2': tokens.colorChartsPaletteCategorical2,
  '--series-3': tokens.colorChartsPaletteCategorical3,
  '--series-4': tokens.colorChartsPaletteCategorical4,
  '--series-5': tokens.colorChartsPaletteCategorical5,
  '--mono': tokens.fontFamilyMonospace,
};

function apply(): void {
  applyMode(isDark() ? Mode.Dark : Mode.Light);
  document.documentElement.style.colorScheme = isDark() ? 'dark' : 'light';
  for (const listener of listeners) listener();
}

/** To be called once, before anything is drawn. */
export function startTheme(): void {
  for (const [name, token] of Object.entries(OWN_NAMES)) document.body.style.setProperty(name, token);
  system.addEventListener('change', apply);
  apply();
}

/** Remembered by this browser. */
export function setTheme(chosen: Theme): void {
  theme = chosen;
  if (chosen === 'system') localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, chosen);
  apply();
}

export function useTheme(): Theme {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => theme,
  );
}
