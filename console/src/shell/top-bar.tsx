import TopNavigation, { type TopNavigationProps } from '@cloudscape-design/components/top-navigation';
import { useLocation } from 'wouter';
import { useRegions, useSessions } from '../api/context.ts';
import { type RegionHealth, useHealth } from './health.ts';
import { setTheme, type Theme, useTheme } from './theme.ts';

type Menu = TopNavigationProps.MenuDropdownUtility;

const THEMES: readonly { readonly id: Theme; readonly text: string }[] = [
  { id: 'system', text: 'As the system' },
  { id: 'light', text: 'Light' },
  { id: 'dark', text: 'Dark' },
];

const SAYS: Readonly<Record<RegionHealth, string>> = {
  unknown: 'not asked yet',
  ready: 'ready',
  'not-ready': 'not ready',
  down: 'down',
};

type TopBarProps = {
  readonly onRegion: (region: string) => void;
  /** Opens and closes the list of pages where there is no room beside them; undefined where there are none. */
  readonly pages: { readonly open: boolean; readonly toggle: () => void } | undefined;
};

/** The bar above every page: regions, the viewer, and the theme. */
export function TopBar({ onRegion, pages }: TopBarProps) {
  const { region } = useRegions();
  const [, navigate] = useLocation();
  const base = import.meta.env.BASE_URL;
  const menus = [useRegionMenu(onRegion), useThemeMenu(), useViewerMenu()];
  return (
    <header className="sluice-top">
      {pages && (
        <button
          type="button"
          className="sluice-nav-toggle"
          aria-label="Pages"
          aria-expanded={pages.open}
          aria-controls="pages"
          onClick={pages.toggle}
        >
          ☰
        </button>
      )}
      <div className="sluice-top-navigation">
        <TopNavigation
          identity={{
            href: `${base}${region.id}`,
            logo: { src: `${base}wordmark.svg`, alt: 'Sluice' },
            onFollow: (event) => {
              event.preventDefault();
              navigate('/');
            },
          }}
          utilities={menus.filter((menu) => menu !== undefined)}
          i18nStrings={{
            overflowMenuTriggerText: 'More',
            overflowMenuTitleText: 'All',
            overflowMenuBackIconAriaLabel: 'Back',
            overflowMenuDismissIconAriaLabel: 'Close',
          }}
        />
      </div>
    </header>
  );
}

function useRegionMenu(onRegion: (region: string) => void): Menu {
  const { region, regions } = useRegions();
  const health = useHealth();
  return {
    type: 'menu-dropdown',
    text: region.id,
    iconName: 'globe',
    ariaLabel: `Region ${region.id}, choose another`,
    title: 'Region',
    disableTextCollapse: true,
    disableUtilityCollapse: true,
    badge: regions.some(({ id }) => health[id] === 'down'),
    items: regions.map(({ id }) => ({
      id,
      itemType: 'checkbox',
      checked: id === region.id,
      text: id,
      secondaryText: SAYS[health[id] ?? 'unknown'],
    })),
    onItemClick: ({ detail }) => onRegion(detail.id),
  };
}

function useThemeMenu(): Menu {
  const theme = useTheme();
  return {
    type: 'menu-dropdown',
    iconName: 'settings',
    ariaLabel: 'Appearance',
    title: 'Appearance',
    disableUtilityCollapse: true,
    items: THEMES.map(({ id, text }) => ({ id, text, itemType: 'checkbox', checked: id === theme })),
    onItemClick: ({ detail }) => setTheme(detail.id as Theme),
  };
}

function useViewerMenu(): Menu | undefined {
  const { region } = useRegions();
  const { sessions, all } = useSessions();
  const session = all[region.id];
  if (session?.kind !== 'signed-in') return undefined;
  const { name, role, tenant } = session.who;
  return {
    type: 'menu-dropdown',
    text: tenant ?? role,
    description: tenant === undefined ? `${name} · ${role}` : `${name} · ${role} of ${tenant}`,
    iconName: 'user-profile',
    ariaLabel: `Signed in as ${tenant ?? role}`,
    disableUtilityCollapse: true,
    items: [{ id: 'out', text: 'Sign out' }],
    onItemClick: () => void sessions.signOut(),
  };
}
