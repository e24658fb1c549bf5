import SideNavigation from '@cloudscape-design/components/side-navigation';
import { useLocation, useRouter } from 'wouter';
import { useWho } from '../api/context.ts';
import { addressOf, isFor, PAGES } from '../pages.ts';

const SECTIONS = ['Watching', 'Serving', 'Running'] as const;

/** The pages that the viewer's role may open. */
export function Navigation({ onFollow }: { readonly onFollow: () => void }) {
  const { base } = useRouter();
  const [path, navigate] = useLocation();
  const who = useWho();
  const shown = PAGES.filter((page) => page.nav !== undefined && isFor(page, who));
  const active = shown.find((page) => `${path}/`.startsWith(`${addressOf(page)}/`));
  return (
    <SideNavigation
      activeHref={active === undefined ? '' : `${base}${addressOf(active)}`}
      items={SECTIONS.flatMap((section) => {
        const links = shown.filter(({ nav }) => nav?.section === section);
        if (links.length === 0) return [];
        return [
          {
            type: 'section' as const,
            text: section,
            items: links.map((page) => ({
              type: 'link' as const,
              text: page.nav?.text ?? '',
              href: `${base}${addressOf(page)}`,
            })),
          },
        ];
      })}
      onFollow={(event) => {
        event.preventDefault();
        navigate(event.detail.href.slice(base.length));
        onFollow();
      }}
    />
  );
}
