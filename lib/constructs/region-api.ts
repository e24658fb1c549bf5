import { Duration } from 'aws-cdk-lib';
import {
  AccessLogField,
  AccessLogFormat,
  EndpointType,
  type IRestApi,
  LambdaIntegration,
  LogGroupLogDestination,
  MethodLoggingLevel,
  Resource,
  ResponseTransferMode,
  RestApi,
} from 'aws-cdk-lib/aws-apigateway';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { HTTP_FUNCTIONS, type HttpFunction, STREAMED_FUNCTIONS } from '../../adapters/aws/environment.ts';
import { ROUTES } from '../../core/api/routes.ts';
import { regionPrefix } from '../names.ts';
import type { RegionContext } from '../region-context.ts';
import { GatewayResponses } from './gateway-responses.ts';
import { sealedLogGroup } from './sealed-log-group.ts';

/** Of a buffered answer; API Gateway has no more. */
const BUFFERED_S = 29;

/** Before every path at the address that API Gateway gives; a domain of one's own leads to it. */
export const STAGE = 'live';

export type ApiParts = {
  readonly context: RegionContext;
  readonly operationsKey: Parameters<typeof sealedLogGroup>[2]['key'];
  readonly functions: Readonly<Record<HttpFunction, LambdaFunction>>;
};

/**
 * The region's REST API: every endpoint of the table at its function. What no endpoint takes goes to `catalogue`, so that
 * 404, 405 and OPTIONS are answered as everything else is. API Gateway validates nothing and passes bytes as they come.
 */
export class RegionApi extends Construct {
  readonly api: RestApi;
  readonly #integrations: Readonly<Record<HttpFunction, LambdaIntegration>>;

  constructor(scope: Construct, id: string, { context, operationsKey, functions }: ApiParts) {
    super(scope, id);
    const { config, region } = context;
    const log = sealedLogGroup(this, 'AccessLog', { config, key: operationsKey });
    this.api = new RestApi(this, 'Api', {
      restApiName: regionPrefix(config.deployment, region),
      endpointTypes: [EndpointType.REGIONAL],
      binaryMediaTypes: ['*/*'],
      cloudWatchRole: true,
      disableExecuteApiEndpoint: context.settings.domain !== undefined,
      deployOptions: {
        stageName: STAGE,
        throttlingRateLimit: config.api.requestsPerSecond,
        throttlingBurstLimit: config.api.burst,
        accessLogDestination: new LogGroupLogDestination(log),
        accessLogFormat: accessLogFormat(),
        loggingLevel: MethodLoggingLevel.ERROR,
        dataTraceEnabled: false,
        metricsEnabled: true,
      },
    });
    // API Gateway would make it itself, without a key and for ever.
    const failures = sealedLogGroup(this, 'FailureLog', {
      config,
      key: operationsKey,
      name: `API-Gateway-Execution-Logs_${this.api.restApiId}/${STAGE}`,
    });
    this.api.deploymentStage.node.addDependency(failures);
    const entries = Object.entries(functions) as [HttpFunction, LambdaFunction][];
    this.#integrations = Object.fromEntries(
      entries.map(([name, handler]) => [name, integrationOf(name, handler)]),
    ) as Record<HttpFunction, LambdaIntegration>;
    this.#addRoutes();
    new GatewayResponses(this, 'Responses', this.api as IRestApi);
  }

  #addRoutes(): void {
    for (const { id, method, path } of ROUTES) {
      const integration = this.#integrations[functionOf(id)];
      const resource = this.api.root.resourceForPath(path);
      resource.addMethod(method, integration);
      if (method === 'GET') resource.addMethod('HEAD', integration);
    }
    this.api.root.addResource('{proxy+}');
    // Also on paths that only lead to others: a resource without a method would be answered by API Gateway.
    const resources = this.api.node.findAll().filter((construct) => construct instanceof Resource);
    for (const resource of [this.api.root, ...resources]) resource.addMethod('ANY', this.#integrations.catalogue);
  }
}

function functionOf(route: string): HttpFunction {
  const found = Object.entries(HTTP_FUNCTIONS).find(([, routes]) => (routes as readonly string[]).includes(route));
  if (found === undefined) throw new Error(`no function serves ${route}`);
  return found[0] as HttpFunction;
}

function integrationOf(name: HttpFunction, handler: LambdaFunction): LambdaIntegration {
  const isStreamed = STREAMED_FUNCTIONS.has(name);
  return new LambdaIntegration(handler, {
    proxy: true,
    scopePermissionToMethod: false,
    responseTransferMode: isStreamed ? ResponseTransferMode.STREAM : ResponseTransferMode.BUFFERED,
    // Without a time of its own a streamed one is not made so.
    timeout: isStreamed ? handler.timeout! : Duration.seconds(BUFFERED_S),
  });
}

/** Who asked for what and how it went; neither headers nor bodies. */
function accessLogFormat(): AccessLogFormat {
  return AccessLogFormat.custom(
    JSON.stringify({
      request_id: AccessLogField.contextRequestId(),
      ip: AccessLogField.contextIdentitySourceIp(),
      at_ms: AccessLogField.contextRequestTimeEpoch(),
      method: AccessLogField.contextHttpMethod(),
      route: AccessLogField.contextResourcePath(),
      status: AccessLogField.contextStatus(),
      answer_bytes: AccessLogField.contextResponseLength(),
      latency_ms: AccessLogField.contextResponseLatency(),
      function_ms: AccessLogField.contextIntegrationLatency(),
      failure: AccessLogField.contextErrorResponseType(),
      waf: AccessLogField.contextWafStatus(),
    }),
  );
}
