import BreadcrumbGroup from '@cloudscape-design/components/breadcrumb-group';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { type ReactNode, useEffect } from 'react';
import { useLocation, useRouter } from 'wouter';

type PageProps = {
  readonly title: string;
  readonly description?: ReactNode;
  readonly info?: ReactNode;
  /** Buttons at the right of the title. */
  readonly actions?: ReactNode;
  /** Pages above this one, outermost first; `path` within the region, such as `/releases`. */
  readonly above?: readonly { readonly text: string; readonly path: string }[];
  readonly children: ReactNode;
};

/** A page's frame: where it stands, its title (of the window, too) and what can be done. */
export function Page({ title, description, info, actions, above = [], children }: PageProps) {
  const { base } = useRouter();
  const [, navigate] = useLocation();
  useEffect(() => {
    document.title = `${title} – Sluice`;
  }, [title]);
  return (
    <SpaceBetween size="l">
      <SpaceBetween size="xs">
        {above.length > 0 && (
          <BreadcrumbGroup
            items={[...above.map(({ text, path }) => ({ text, href: `${base}${path}` })), { text: title, href: '#' }]}
            onFollow={(event) => {
              event.preventDefault();
              const { href } = event.detail;
              if (href !== '#') navigate(href.slice(base.length));
            }}
          />
        )}
        <Header variant="h1" description={description} info={info} actions={actions}>
          {title}
        </Header>
      </SpaceBetween>
      {children}
    </SpaceBetween>
  );
}
