import Pagination from '@cloudscape-design/components/pagination';
import type { Pages } from '../data/use-pages.ts';

/** Turns the pages of a list; nothing where there is only one. */
export function PageTurner({ of, label }: { readonly of: Omit<Pages<unknown>, 'page'>; readonly label: string }) {
  if (of.known === 1 && !of.isOpen) return null;
  return (
    <Pagination
      currentPageIndex={of.at}
      pagesCount={of.known}
      openEnd={of.isOpen}
      onChange={({ detail }) => of.goTo(detail.currentPageIndex)}
      onNextPageClick={({ detail }) => !detail.requestedPageAvailable && of.goTo(of.at + 1)}
      ariaLabels={{
        paginationLabel: label,
        nextPageLabel: 'Next page',
        previousPageLabel: 'Previous page',
        pageLabel: (page) => `Page ${page}`,
      }}
    />
  );
}
