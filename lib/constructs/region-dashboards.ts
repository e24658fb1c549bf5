import { Dashboard, GraphWidget, type IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { DASHBOARDS, type DashboardName, dashboardOf, type Panel } from '../../core/operations/dashboards.ts';
import { regionPrefix } from '../names.ts';
import type { RegionContext } from '../region-context.ts';
import { measuredMetric } from './measured-metric.ts';

/** Of a dashboard's width. */
const COLUMNS = 24;

/** Every dashboard that is defined, as `<deployment and region>-<its name>`; `more` are rows of what only AWS measures. */
export class RegionDashboards extends Construct {
  constructor(
    scope: Construct,
    id: string,
    context: RegionContext,
    more: Readonly<Partial<Record<DashboardName, readonly (readonly IWidget[])[]>>>,
  ) {
    super(scope, id);
    const { config, region } = context;
    for (const name of Object.keys(DASHBOARDS) as DashboardName[]) {
      const rows = dashboardOf(name).rows.map((row) =>
        row.map((panel) => graphOf(context, panel, COLUMNS / row.length)),
      );
      new Dashboard(this, name, {
        dashboardName: `${regionPrefix(config.deployment, region)}-${name}`,
        widgets: [...rows, ...(more[name] ?? [])].map((row) => [...row]),
      });
    }
  }
}

function graphOf(context: RegionContext, { title, metrics, by }: Panel, width: number): IWidget {
  return new GraphWidget({ title, width, left: metrics.map((metric) => measuredMetric(context, metric, by)) });
}
