import { z } from 'zod';

const hostname = z
  .string()
  .regex(/^(?=.{4,253}$)([a-z0-9-]{1,63}\.)+[a-z]{2,63}$/, 'a host name such as console.example.com');

/** The web console of a deployment, for all of its regions. */
export const consoleSchema = z.strictObject({
  /** Its address, `https://<name>/console/`: regions let it call them, and issuers send codes to it. */
  domain: z.strictObject({
    name: hostname,
    certificateArn: z.string().regex(/^arn:[a-z-]+:acm:us-east-1:/, 'the ARN of an ACM certificate in us-east-1'),
    hostedZone: z.strictObject({ id: z.string().min(1), name: hostname }).optional(),
  }),
  /** Whose tokens sign people in. Left out: an Amazon Cognito user pool is made for it. */
  issuer: z
    .strictObject({
      /** As its tokens' `iss` spells it. */
      url: z.url({ protocol: /^https$/ }),
      jwksUri: z.url({ protocol: /^https$/ }),
      clientId: z.string().min(1),
      scope: z.string().min(1).default('openid'),
      /** Which of its tokens has the audience that regions expect. */
      token: z.enum(['access', 'id']).default('access'),
      /** Origins beside that of `url` that sign-in and tokens are served from. */
      origins: z
        .array(z.url({ protocol: /^https$/ }))
        .max(5)
        .default([]),
    })
    .optional(),
});

export type ConsoleSettings = z.output<typeof consoleSchema>;

/** As browsers name it. */
export function consoleOrigin({ domain }: ConsoleSettings): string {
  return `https://${domain.name}`;
}
