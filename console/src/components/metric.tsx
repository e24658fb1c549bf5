import Box from '@cloudscape-design/components/box';
import type { ReactNode } from 'react';

type MetricProps = {
  readonly label: string;
  /** Already written with its unit, by the format module. */
  readonly value: ReactNode;
  readonly hint?: ReactNode;
  readonly tone?: 'good' | 'warning' | 'bad' | undefined;
};

const COLORS = { good: 'text-status-success', warning: 'text-status-warning', bad: 'text-status-error' } as const;

/** One large number with its name; its digits keep their width, so that it does not jump as it changes. */
export function Metric({ label, value, hint, tone }: MetricProps) {
  return (
    <div className="sluice-metric">
      <Box variant="awsui-key-label">{label}</Box>
      <Box fontSize="heading-xl" fontWeight="bold" color={tone === undefined ? 'inherit' : COLORS[tone]}>
        <span className="sluice-figures">{value}</span>
      </Box>
      {hint !== undefined && (
        <Box variant="small" color="text-body-secondary">
          {hint}
        </Box>
      )}
    </div>
  );
}

/** Metrics side by side, as many as there is room for. */
export function Metrics({ children }: { readonly children: ReactNode }) {
  return <div className="sluice-metrics">{children}</div>;
}
