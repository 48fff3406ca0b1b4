import type { Resource, Verb } from './api.ts';

/** The least that the key must be allowed, resource by resource; docs/prestashop.md says what each is for. */
export const WANTED_RIGHTS: Readonly<Record<Resource, readonly Verb[]>> = {
  addresses: ['get'],
  cart_rules: ['get'],
  combinations: ['get', 'post'],
  countries: ['get'],
  currencies: ['get'],
  customers: ['get'],
  languages: ['get'],
  manufacturers: ['get', 'post'],
  order_cart_rules: ['get'],
  order_payments: ['get'],
  order_slip: ['get'],
  order_states: ['get'],
  orders: ['get'],
  product_option_values: ['get', 'post'],
  product_options: ['get', 'post'],
  product_suppliers: ['get', 'post'],
  products: ['get', 'post'],
  stock_availables: ['get', 'put'],
  suppliers: ['get', 'post'],
};

/** `GET orders`, for each right that is wanted and not granted. */
export function missingRights(granted: ReadonlyMap<string, ReadonlySet<Verb>>): string[] {
  return Object.entries(WANTED_RIGHTS).flatMap(([resource, verbs]) =>
    verbs
      .filter((verb) => granted.get(resource)?.has(verb) !== true)
      .map((verb) => `${verb.toUpperCase()} ${resource}`),
  );
}
