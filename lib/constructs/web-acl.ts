import { CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';
import { STAGE } from './region-api.ts';

/**
 * Rules that look into bodies. Tensors and texts for models look like attacks to them, so that under /v1 and /v2 they only
 * label; elsewhere a label is an end.
 */
const BODY_RULES = {
  AWSManagedRulesCommonRuleSet: {
    label: 'awswaf:managed:aws:core-rule-set:',
    rules: {
      SizeRestrictions_BODY: 'SizeRestrictions_Body',
      CrossSiteScripting_BODY: 'CrossSiteScripting_Body',
      GenericLFI_BODY: 'GenericLFI_Body',
      GenericRFI_BODY: 'GenericRFI_Body',
      EC2MetaDataSSRF_BODY: 'EC2MetaDataSSRF_Body',
    },
  },
  AWSManagedRulesSQLiRuleSet: {
    label: 'awswaf:managed:aws:sql-database:',
    rules: { SQLi_BODY: 'SQLi_Body', SQLiExtendedPatterns_BODY: 'SQLiExtendedPatterns_Body' },
  },
  AWSManagedRulesKnownBadInputsRuleSet: {
    label: 'awswaf:managed:aws:known-bad-inputs:',
    rules: { JavaDeserializationRCE_BODY: 'JavaDeserializationRCE_Body', Log4JRCE_BODY: 'Log4JRCE_Body' },
  },
} as const;

/** A program that calls an API need not say what it is. */
const COUNTED_BESIDE = ['NoUserAgent_HEADER'];
const MODEL_PATHS = ['/v1/', '/v2/'];
/** Manifests and replays are larger than the 8 KB that the rule allows. */
const LARGE_BODY_PATHS = [...MODEL_PATHS, '/control/v1/models/'];

export type WebAclProps = {
  readonly name: string;
  readonly stageArn: string;
  readonly requestsPerFiveMinutesPerAddress: number;
};

/** The firewall before a region's API. */
export class WebAcl extends Construct {
  readonly acl: CfnWebACL;

  constructor(scope: Construct, id: string, props: WebAclProps) {
    super(scope, id);
    const { name, stageArn, requestsPerFiveMinutesPerAddress } = props;
    const groups = Object.entries(BODY_RULES).map(([group, { rules }], place) =>
      managedRules(group, place + 1, [
        ...Object.keys(rules),
        ...(group === 'AWSManagedRulesCommonRuleSet' ? COUNTED_BESIDE : []),
      ]),
    );
    this.acl = new CfnWebACL(this, 'Acl', {
      name,
      scope: 'REGIONAL',
      defaultAction: { allow: {} },
      visibilityConfig: visible(name),
      rules: [
        limitAddresses(requestsPerFiveMinutesPerAddress),
        ...groups,
        blockBodies('large-bodies', 10, sizeLabels(), LARGE_BODY_PATHS),
        blockBodies('bodies', 11, otherLabels(), MODEL_PATHS),
      ],
    });
    new CfnWebACLAssociation(this, 'Association', { resourceArn: stageArn, webAclArn: this.acl.attrArn });
  }
}

/**
 * Ends requests of an address that sends more, whoever it says it is: the throttle behind is one for all callers, and keys are looked at
 * behind that.
 */
function limitAddresses(limit: number): CfnWebACL.RuleProperty {
  return {
    name: 'addresses',
    priority: 0,
    action: { block: {} },
    statement: { rateBasedStatement: { aggregateKeyType: 'IP', evaluationWindowSec: 300, limit } },
    visibilityConfig: visible('addresses'),
  };
}

function labels(): readonly string[] {
  return Object.values(BODY_RULES).flatMap(({ label, rules }) => Object.values(rules).map((rule) => `${label}${rule}`));
}

function sizeLabels(): readonly string[] {
  return labels().filter((label) => label.endsWith(':SizeRestrictions_Body'));
}

function otherLabels(): readonly string[] {
  return labels().filter((label) => !label.endsWith(':SizeRestrictions_Body'));
}

function managedRules(name: string, priority: number, counted: readonly string[]): CfnWebACL.RuleProperty {
  return {
    name,
    priority,
    overrideAction: { none: {} },
    statement: {
      managedRuleGroupStatement: {
        vendorName: 'AWS',
        name,
        ruleActionOverrides: counted.map((rule) => ({ name: rule, actionToUse: { count: {} } })),
      },
    },
    visibilityConfig: visible(name),
  };
}

/** Ends requests with one of the labels, but those to the paths. */
function blockBodies(
  name: string,
  priority: number,
  found: readonly string[],
  excepted: readonly string[],
): CfnWebACL.RuleProperty {
  return {
    name,
    priority,
    action: { block: {} },
    statement: {
      andStatement: {
        statements: [
          oneOf(found.map((key) => ({ labelMatchStatement: { scope: 'LABEL', key } }))),
          { notStatement: { statement: oneOf(excepted.flatMap(startsWith)) } },
        ],
      },
    },
    visibilityConfig: visible(name),
  };
}

function oneOf(statements: readonly CfnWebACL.StatementProperty[]): CfnWebACL.StatementProperty {
  return statements.length === 1 ? statements[0]! : { orStatement: { statements: [...statements] } };
}

/** The firewall sees a path as it was sent: with the stage at the API's own address, without it at a domain. */
function startsWith(path: string): readonly CfnWebACL.StatementProperty[] {
  return [path, `/${STAGE}${path}`].map((searchString) => ({
    byteMatchStatement: {
      fieldToMatch: { uriPath: {} },
      positionalConstraint: 'STARTS_WITH',
      searchString,
      textTransformations: [{ priority: 0, type: 'NONE' }],
    },
  }));
}

function visible(metricName: string): CfnWebACL.VisibilityConfigProperty {
  return { cloudWatchMetricsEnabled: true, sampledRequestsEnabled: false, metricName };
}
