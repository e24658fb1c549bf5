import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import {
  AccountRecovery,
  FeaturePlan,
  Mfa,
  OAuthScope,
  StandardThreatProtectionMode,
  UserPool,
  UserPoolGroup,
} from 'aws-cdk-lib/aws-cognito';
import { Construct } from 'constructs';
import { CONSOLE_RETURNS } from '../../core/api/console-policy.ts';
import type { Config } from '../config.ts';
import { type ConsoleSettings, consoleOrigin } from '../config-console.ts';

/** Groups that stand for roles of operators; `sluice-tenant-admin.<tenant>` is made for a tenant that is to see the console. */
const GROUPS = ['sluice-operator', 'sluice-admin'];

/** How a console is signed in to, as its config.json tells it. */
export type ConsoleIssuer = {
  readonly issuer: string;
  readonly clientId: string;
  readonly scope: string;
  readonly token: 'access' | 'id';
  /** Origins that sign-in and tokens are served from. */
  readonly origins: readonly string[];
  readonly jwksUri: string;
};

/** People who sign in to the console: invited by an administrator, with a second factor, in groups that stand for roles. */
export class ConsoleUsers extends Construct {
  readonly issuer: ConsoleIssuer;

  constructor(scope: Construct, id: string, settings: ConsoleSettings, { deployment, account }: Config) {
    super(scope, id);
    const { region } = Stack.of(this);
    const pool = new UserPool(this, 'Pool', {
      selfSignUpEnabled: false,
      signInAliases: { email: true },
      signInCaseSensitive: false,
      accountRecovery: AccountRecovery.EMAIL_ONLY,
      mfa: Mfa.REQUIRED,
      mfaSecondFactor: { sms: false, otp: true },
      passwordPolicy: {
        minLength: 12,
        requireDigits: true,
        requireLowercase: true,
        requireUppercase: true,
        requireSymbols: true,
        tempPasswordValidity: Duration.days(3),
      },
      featurePlan: FeaturePlan.PLUS,
      standardThreatProtectionMode: StandardThreatProtectionMode.FULL_FUNCTION,
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    for (const groupName of GROUPS) new UserPoolGroup(this, groupName, { userPool: pool, groupName });
    const prefix = `sluice-${deployment}-${account}`;
    pool.addDomain('Domain', { cognitoDomain: { domainPrefix: prefix } });
    const home = `${consoleOrigin(settings)}/console/`;
    const client = pool.addClient('Console', {
      generateSecret: false,
      oAuth: {
        flows: { authorizationCodeGrant: true },
        scopes: [OAuthScope.OPENID],
        callbackUrls: CONSOLE_RETURNS.map((page) => `${home}${page}`),
        logoutUrls: [home],
      },
      authFlows: {},
      preventUserExistenceErrors: true,
      enableTokenRevocation: true,
      idTokenValidity: Duration.hours(1),
      accessTokenValidity: Duration.hours(1),
      refreshTokenValidity: Duration.hours(12),
    });
    const issuer = `https://cognito-idp.${region}.amazonaws.com/${pool.userPoolId}`;
    this.issuer = {
      issuer,
      clientId: client.userPoolClientId,
      scope: 'openid',
      // Its access tokens name no audience.
      token: 'id',
      origins: [`https://cognito-idp.${region}.amazonaws.com`, `https://${prefix}.auth.${region}.amazoncognito.com`],
      jwksUri: `${issuer}/.well-known/jwks.json`,
    };
  }
}
