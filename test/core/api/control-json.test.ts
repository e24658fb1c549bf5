import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import {
  issuerFromJson,
  issuerToJson,
  keyToJson,
  limitsFromJson,
  modelRouteToJson,
  pageToJson,
  planToJson,
  tenantToJson,
  versionToJson,
} from '../../../core/api/control-json.ts';
import { modelMetadata, serverMetadata } from '../../../core/api/model-metadata.ts';
import { modelMetadataJson, serverMetadataJson } from '../../../core/api/oip-schemas.ts';
import { parseWith } from '../../../core/api/parse.ts';
import * as json from '../../../core/api/schemas.ts';
import { validationJson, validationToJson } from '../../../core/api/validation-json.ts';
import { manifestSchema } from '../../../core/models/manifest.ts';
import type { ModelVersion } from '../../../core/models/version.ts';
import type { ApiKeyRecord } from '../../../core/ports/registry.ts';
import { DEFAULT_PLANS } from '../../../core/tenancy/plan.ts';
import { tenantSchema } from '../../../core/tenancy/tenant.ts';
import { expectFailure } from '../../support/failures.ts';
import { aValidation } from '../../support/jobs.ts';
import { aValidationRecord } from '../../support/validation-records.ts';

const tenant = tenantSchema.parse({
  id: 'acme',
  name: 'Acme',
  region: 'us',
  plan: 'pro',
  overrides: { requestBurst: 7 },
  createdAtMs: 1000,
  epoch: 1,
});

const version: ModelVersion = {
  model: 'm',
  version: '3',
  modelDigest: 'a'.repeat(64),
  modelBytes: 10,
  digest: 'b'.repeat(64),
  manifest: manifestSchema.parse({ name: 'm' }),
  signature: {
    inputs: [{ name: 'x', datatype: 'FP32', shape: ['batch', 4] }],
    outputs: [{ name: 'y', datatype: 'FP32', shape: ['', 3] }],
  },
  validation: {
    ...aValidation(),
    checks: [{ check: 'loads', outcome: 'warning', detail: 'slowly', advice: 'make it smaller', tookMs: 3 }],
    speed: [{ rows: 2, length: 4, runMs: 0.5 }],
  },
  pushedBy: 'key:1',
  pushedAtMs: 5,
};

const key: ApiKeyRecord = {
  id: 'k1k2k3k4',
  secretSha256: 'c'.repeat(64),
  tenant: 'acme',
  role: 'tenant-user',
  models: undefined,
  label: 'front end',
  createdAtMs: 1,
  expiresAtMs: undefined,
  revokedAtMs: undefined,
};

const VALIDATIONS = [
  aValidationRecord(1000),
  aValidationRecord(1000, {
    state: { kind: 'running', leaseUntilMs: 2000, attempts: 1 },
    checks: version.validation.checks,
    progress: 'measuring',
  }),
  aValidationRecord(1000, { state: { kind: 'accepted', version: '3' }, progress: 'adding the version' }),
  aValidationRecord(1000, {
    state: { kind: 'refused', code: 'golden-mismatch', facts: { detail: 'far off', advice: 'look again', pair: 3 } },
  }),
];

describe('records of the control plane', () => {
  it('are shown as the schemas of their routes say', () => {
    const shown: [z.ZodType, unknown][] = [
      [json.tenantJson, tenantToJson(tenant)],
      [json.keyJson, keyToJson(key)],
      [json.versionJson, versionToJson(version)],
      [
        json.versionJson,
        versionToJson({ ...version, graphSignature: version.signature, goldenDigest: 'd'.repeat(64) }),
      ],
      ...VALIDATIONS.map((record): [z.ZodType, unknown] => [validationJson, validationToJson(record)]),
      [json.modelRouteJson, modelRouteToJson({ model: 'm', stable: undefined, epoch: 1 })],
      [json.pageOf(json.tenantJson), pageToJson({ items: [tenant], next: undefined }, tenantToJson)],
      [modelMetadataJson, modelMetadata(version.model, version)],
      [serverMetadataJson, serverMetadata('1.0.0')],
      ...DEFAULT_PLANS.map((plan): [z.ZodType, unknown] => [json.planJson, planToJson(plan)]),
    ];
    for (const [schema, value] of shown) expect(parseWith(schema, value, 'body')).toEqual(value);
  });

  it('show a report in the names of JSON, at every depth', () => {
    expect(versionToJson(version).validation).toMatchObject({
      checks: [{ check: 'loads', took_ms: 3 }],
      batch_mates: { verdict: 'independent', largest_difference: 0 },
      speed: [{ rows: 2, length: 4, run_ms: 0.5 }],
      batching: { max_rows: 64, max_padded_elements: 1024, max_batch_ms: 15 },
    });
  });

  it('show how a validation goes, and why one was refused as the problem that it is', () => {
    const [queued, running, accepted, refused] = VALIDATIONS.map(validationToJson);
    expect(queued).toMatchObject({ state: 'queued', progress: null, version: null, problem: null });
    expect(running).toMatchObject({ state: 'running', progress: 'measuring', checks: [{ took_ms: 3 }] });
    expect(accepted).toMatchObject({ state: 'accepted', progress: null, version: '3', problem: null });
    expect(refused!.problem).toEqual({
      type: 'urn:sluice:failure:golden-mismatch',
      title: 'Golden outputs do not match',
      status: 422,
      detail: 'far off',
      instance: `/control/v1/models/m/validations/${refused!.id}`,
      code: 'golden-mismatch',
      retryable: false,
      advice: 'look again',
      pair: 3,
    });
    const unknown = aValidationRecord(0, { state: { kind: 'refused', code: 'of-a-later-release', facts: {} } });
    expect(validationToJson(unknown).problem?.code).toBe('internal');
  });

  it('never show the hash of a key', () => {
    expect(JSON.stringify(keyToJson(key))).not.toContain('cccc');
  });

  it('come back as they went', () => {
    for (const plan of DEFAULT_PLANS) expect(limitsFromJson(planToJson(plan).limits)).toEqual(plan.limits);
    expect(tenantToJson(tenant).overrides).toEqual({ request_burst: 7 });
    expect(limitsFromJson({ request_burst: 7 })).toEqual({ requestBurst: 7 });
    const issuer = {
      issuer: 'https://login.example',
      audience: 'sluice',
      jwksUri: 'https://login.example/keys',
      tenants: ['acme'],
      maxRole: 'tenant-admin',
    } as const;
    expect(issuerFromJson(issuerToJson(issuer))).toEqual(issuer);
  });

  it('show free dimensions as -1', () => {
    expect(modelMetadata(version.model, version)).toMatchObject({
      inputs: [{ shape: [-1, 4] }],
      outputs: [{ shape: [-1, 3] }],
    });
  });
});

describe('bodies of the control plane', () => {
  it('are refused for unknown fields by their path', () => {
    const body = { id: 'acme', name: 'Acme', plan: 'pro' };
    expectFailure(() => parseWith(json.tenantCreateBody, { ...body, epoch: 1 }, 'body'), 'field-unknown', {
      field: 'epoch',
    });
    const nested = { ...body, overrides: { requestBurst: 1 } };
    expectFailure(() => parseWith(json.tenantCreateBody, nested, 'body'), 'field-unknown', {
      field: 'overrides.requestBurst',
    });
    const polluting = JSON.parse('{"id":"acme","name":"A","plan":"pro","__proto__":{"x":1}}');
    expectFailure(() => parseWith(json.tenantCreateBody, polluting, 'body'), 'field-unknown', { field: '__proto__' });
  });

  it('are refused without quoting what was sent', () => {
    const body = {
      issuer: 'secret-marker',
      audience: 'a',
      jwks_uri: 'https://x.example',
      tenants: ['*'],
      max_role: 'admin',
    };
    try {
      parseWith(json.issuerJson, body, 'body');
      throw new Error('accepted');
    } catch (error) {
      expect(error).toMatchObject({ code: 'request-invalid', facts: { field: 'issuer' } });
      expect(JSON.stringify(error)).not.toContain('secret-marker');
    }
    expectFailure(() => parseWith(json.issuerJson, 7, 'body'), 'request-invalid', { field: 'body' });
  });

  it('cannot make a key stronger than its kind', () => {
    for (const role of ['operator', 'admin']) {
      expectFailure(() => parseWith(json.keyCreateBody, { label: 'x', role }, 'body'), 'request-invalid', {
        field: 'role',
      });
    }
    for (const role of ['tenant-user', 'tenant-admin']) {
      expectFailure(() => parseWith(json.operatorKeyCreateBody, { label: 'x', role }, 'body'), 'request-invalid');
    }
    expect(parseWith(json.keyCreateBody, { label: 'x' }, 'body').role).toBe('tenant-user');
  });

  it('page by a limit that is sent as text', () => {
    expect(parseWith(json.pageQuery, {}, 'query')).toEqual({ limit: 100 });
    expect(parseWith(json.pageQuery, { limit: '7', cursor: 'x' }, 'query')).toEqual({ limit: 7, cursor: 'x' });
    for (const limit of ['0', '1001', '1.5', 'x', '']) {
      expectFailure(() => parseWith(json.pageQuery, { limit }, 'query'), 'request-invalid', { field: 'limit' });
    }
  });
});
