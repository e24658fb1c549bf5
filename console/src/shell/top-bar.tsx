import TopNavigation, { type TopNavigationProps } from '@cloudscape-design/components/top-navigation';
import { useRegions, useSessions } from '../api/context.ts';
import { type RegionHealth, useHealth } from './health.ts';
import { setTheme, type Theme, useTheme } from './theme.ts';

const THEMES: readonly { readonly id: Theme; readonly text: string }[] = [
  { id: 'system', text: 'As the system' },
  { id: 'light', text: 'Light' },
  { id: 'dark', text: 'Dark' },
];

const SAYS: Readonly<Record<RegionHealth, string>> = {
  unknown: '',
  ready: 'ready',
  'not-ready': 'not ready',
  down: 'down',
};

/** The bar above every page: regions, the viewer, and the theme. */
export function TopBar({ onRegion }: { readonly onRegion: (region: string) => void }) {
  const { region, regions } = useRegions();
  const { sessions, all } = useSessions();
  const session = all[region.id];
  const health = useHealth();
  const regionMenu: TopNavigationProps.MenuDropdownUtility = {
    type: 'menu-dropdown',
    text: region.id,
    iconName: 'globe',
    ariaLabel: `Region ${region.id}: choose another`,
    title: 'Region',
    items: regions.map(({ id }) => ({
      id,
      itemType: 'checkbox' as const,
      checked: id === region.id,
      text: id,
      secondaryText: SAYS[health[id] ?? 'unknown'],
    })),
    onItemClick: ({ detail }) => onRegion(detail.id),
  };
  const themeMenu = useThemeMenu();
  const who: TopNavigationProps.Utility[] =
    session?.kind === 'signed-in'
      ? [
          {
            type: 'menu-dropdown',
            text: session.who.tenant ?? session.who.role,
            description: `${session.who.name} · ${session.who.role}`,
            iconName: 'user-profile',
            items: [{ id: 'out', text: 'Sign out' }],
            onItemClick: () => void sessions.signOut(),
          },
        ]
      : [];
  const base = import.meta.env.BASE_URL;
  return (
    <TopNavigation
      identity={{ href: `${base}${region.id}`, title: 'Sluice', logo: { src: `${base}icon.svg`, alt: '' } }}
      utilities={[regionMenu, themeMenu, ...who]}
      i18nStrings={{
        overflowMenuTriggerText: 'More',
        overflowMenuTitleText: 'All',
        overflowMenuBackIconAriaLabel: 'Back',
        overflowMenuDismissIconAriaLabel: 'Close',
      }}
    />
  );
}

function useThemeMenu(): TopNavigationProps.MenuDropdownUtility {
  const theme = useTheme();
  return {
    type: 'menu-dropdown',
    iconName: 'settings',
    ariaLabel: 'Settings',
    title: 'Settings',
    items: [
      {
        text: 'Appearance',
        items: THEMES.map(({ id, text }) => ({ id, text, itemType: 'checkbox' as const, checked: id === theme })),
      },
    ],
    onItemClick: ({ detail }) => setTheme(detail.id as Theme),
  };
}
