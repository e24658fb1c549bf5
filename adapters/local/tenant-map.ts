/** Values by tenant and id. Two lookups of strings that exist already cost less than building one key of both. */
export class TenantMap<T> {
  readonly #tenants = new Map<string, Map<string, T>>();

  get(tenant: string, id: string): T | undefined {
    return this.#tenants.get(tenant)?.get(id);
  }

  set(tenant: string, id: string, value: T): void {
    const values = this.#tenants.get(tenant);
    if (values === undefined) this.#tenants.set(tenant, new Map([[id, value]]));
    else values.set(id, value);
  }

  delete(tenant: string, id: string): void {
    const values = this.#tenants.get(tenant);
    if (values?.delete(id) && values.size === 0) this.#tenants.delete(tenant);
  }

  hasTenant(tenant: string): boolean {
    return this.#tenants.has(tenant);
  }

  deleteTenant(tenant: string): void {
    this.#tenants.delete(tenant);
  }

  ofTenant(tenant: string): T[] {
    return [...(this.#tenants.get(tenant)?.values() ?? [])];
  }
}
