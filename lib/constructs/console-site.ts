import { Annotations, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import {
  AccessLevel,
  type BehaviorOptions,
  CachePolicy,
  Distribution,
  Function as EdgeFunction,
  FunctionCode,
  FunctionEventType,
  FunctionRuntime,
  HeadersFrameOption,
  HeadersReferrerPolicy,
  HttpVersion,
  PriceClass,
  ResponseHeadersPolicy,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { S3BucketOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { AaaaRecord, ARecord, HostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { CloudFrontTarget } from 'aws-cdk-lib/aws-route53-targets';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type BucketProps,
  type IBucket,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { CONSOLE_PERMISSIONS, type ConsoleReach, consolePolicy } from '../../core/api/console-policy.ts';
import type { ConsoleSettings } from '../config-console.ts';

export type ConsoleSiteParts = {
  readonly domain: ConsoleSettings['domain'];
  readonly reach: ConsoleReach;
  readonly logDays: number;
};

/** Warns that the root could list the bucket: it has an object of its own, and is redirected before that. */
const LISTS_BUCKET = '@aws-cdk/aws-cloudfront-origins:listBucketSecurityRisk';

/**
 * Runs before the cache. Places of the console are the page's own, so that each is its page; what names a file is that file, and
 * missing if it is missing.
 */
export const CONSOLE_PATHS = `function handler(event) {
  var request = event.request;
  var uri = request.uri;
  if (uri === '/' || uri === '/console') {
    return { statusCode: 302, statusDescription: 'Found', headers: { location: { value: '/console/' } } };
  }
  if (uri.indexOf('/console/') !== 0 || uri.indexOf('/console/assets/') === 0) return request;
  if (uri.slice('/console/'.length).indexOf('/') === -1 && /\\.(html|json|svg)$/.test(uri)) return request;
  request.uri = '/console/index.html';
  return request;
}`;

/** The built console in a bucket that CloudFront alone reads, under the domain of the configuration. */
export class ConsoleSite extends Construct {
  readonly bucket: IBucket;
  readonly distribution: Distribution;

  constructor(scope: Construct, id: string, { domain, reach, logDays }: ConsoleSiteParts) {
    super(scope, id);
    const logs = this.#bucket('Logs', {
      // CloudFront writes its logs as somebody else, which an owner must let it.
      objectOwnership: ObjectOwnership.OBJECT_WRITER,
      lifecycleRules: [{ expiration: Duration.days(logDays) }],
    });
    this.bucket = this.#bucket('Files', {
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      serverAccessLogsBucket: logs,
      serverAccessLogsPrefix: 'files/',
    });
    const origin = S3BucketOrigin.withOriginAccessControl(this.bucket, {
      // Without LIST a missing file would be answered as forbidden.
      originAccessLevels: [AccessLevel.READ, AccessLevel.LIST],
    });
    const paths = new EdgeFunction(this, 'Paths', {
      code: FunctionCode.fromInline(CONSOLE_PATHS),
      runtime: FunctionRuntime.JS_2_0,
    });
    const behavior = (mayBeFramed: boolean): BehaviorOptions => ({
      origin,
      viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
      cachePolicy: CachePolicy.CACHING_OPTIMIZED,
      compress: true,
      responseHeadersPolicy: this.#headers(reach, mayBeFramed),
      functionAssociations: [{ function: paths, eventType: FunctionEventType.VIEWER_REQUEST }],
    });
    this.distribution = new Distribution(this, 'Distribution', {
      defaultBehavior: behavior(false),
      additionalBehaviors: { '/console/silent.html': behavior(true) },
      // The function redirects the root; were it not there, the root would list the bucket.
      defaultRootObject: 'console/index.html',
      domainNames: [domain.name],
      certificate: Certificate.fromCertificateArn(this, 'Certificate', domain.certificateArn),
      minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
      httpVersion: HttpVersion.HTTP2_AND_3,
      priceClass: PriceClass.PRICE_CLASS_100,
      logBucket: logs,
      logFilePrefix: 'cloudfront/',
    });
    Annotations.of(this.distribution).acknowledgeWarning(LISTS_BUCKET);
    this.#nameIt(domain);
  }

  #bucket(id: string, props: BucketProps): IBucket {
    return new Bucket(this, id, {
      ...props,
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      removalPolicy: RemovalPolicy.RETAIN,
    }) as IBucket;
  }

  #headers(reach: ConsoleReach, mayBeFramed: boolean): ResponseHeadersPolicy {
    return new ResponseHeadersPolicy(this, mayBeFramed ? 'FramedHeaders' : 'Headers', {
      securityHeadersBehavior: {
        contentSecurityPolicy: { contentSecurityPolicy: consolePolicy(reach, mayBeFramed), override: true },
        contentTypeOptions: { override: true },
        referrerPolicy: { referrerPolicy: HeadersReferrerPolicy.NO_REFERRER, override: true },
        strictTransportSecurity: { accessControlMaxAge: Duration.days(365), includeSubdomains: true, override: true },
        frameOptions: {
          frameOption: mayBeFramed ? HeadersFrameOption.SAMEORIGIN : HeadersFrameOption.DENY,
          override: true,
        },
      },
      customHeadersBehavior: {
        customHeaders: [{ header: 'Permissions-Policy', value: CONSOLE_PERMISSIONS, override: true }],
      },
    });
  }

  #nameIt({ name, hostedZone }: ConsoleSettings['domain']): void {
    if (hostedZone === undefined) return;
    const { id: hostedZoneId, name: zoneName } = hostedZone;
    const zone = HostedZone.fromHostedZoneAttributes(this, 'Zone', { hostedZoneId, zoneName });
    const target = RecordTarget.fromAlias(new CloudFrontTarget(this.distribution));
    new ARecord(this, 'Address', { zone, recordName: name, target });
    new AaaaRecord(this, 'AddressV6', { zone, recordName: name, target });
  }
}
