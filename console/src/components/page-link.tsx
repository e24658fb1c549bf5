import Link from '@cloudscape-design/components/link';
import type { ReactNode } from 'react';
import { useLocation, useRouter } from 'wouter';

/** A link to another page of the region: `to` such as `/releases/rel_1`. A real address, so that it opens in a new tab too. */
export function PageLink({
  to,
  children,
  ...rest
}: {
  readonly to: string;
  readonly children: ReactNode;
  readonly fontSize?: 'body-m' | 'heading-s';
}) {
  const { base } = useRouter();
  const [, navigate] = useLocation();
  return (
    <Link
      {...rest}
      href={`${base}${to}`}
      onFollow={(event) => {
        event.preventDefault();
        navigate(to);
      }}
    >
      {children}
    </Link>
  );
}
