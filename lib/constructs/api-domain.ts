import { DomainName, EndpointType, type RestApi, SecurityPolicy } from 'aws-cdk-lib/aws-apigateway';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { AaaaRecord, ARecord, HostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { ApiGatewayDomain } from 'aws-cdk-lib/aws-route53-targets';
import { Construct } from 'constructs';
import type { RegionSettings } from '../config.ts';

/** The address under which a region's API is known, with its record where the configuration names the zone. */
export class ApiDomain extends Construct {
  readonly url: string;

  constructor(scope: Construct, id: string, domain: NonNullable<RegionSettings['domain']>, api: RestApi) {
    super(scope, id);
    const domainName = new DomainName(this, 'Name', {
      domainName: domain.name,
      certificate: Certificate.fromCertificateArn(this, 'Certificate', domain.certificateArn),
      endpointType: EndpointType.REGIONAL,
      securityPolicy: SecurityPolicy.TLS_1_2,
    });
    domainName.addBasePathMapping(api as Parameters<typeof domainName.addBasePathMapping>[0], {
      stage: api.deploymentStage,
    });
    this.url = `https://${domain.name}`;
    if (domain.hostedZone === undefined) return;
    const { id: hostedZoneId, name: zoneName } = domain.hostedZone;
    const zone = HostedZone.fromHostedZoneAttributes(this, 'Zone', { hostedZoneId, zoneName });
    const target = RecordTarget.fromAlias(new ApiGatewayDomain(domainName));
    new ARecord(this, 'Address', { zone, recordName: domain.name, target });
    new AaaaRecord(this, 'AddressV6', { zone, recordName: domain.name, target });
  }
}
