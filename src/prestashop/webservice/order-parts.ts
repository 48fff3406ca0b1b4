import type { z } from 'zod';
import type { Resource, Webservice } from './api.ts';
import { listBy, listByIds } from './list-by.ts';
import type { OrderParts, ProductParts } from './order-mapping.ts';
import {
  addressRow,
  cartRuleRow,
  combinationRow,
  countryRow,
  customerRow,
  namedRow,
  orderCartRuleRow,
  orderPaymentRow,
  productRow,
  type OrderRow,
} from './rows.ts';

/** Reads what other resources say of these orders. `states` = the shop's, by id. */
export async function readParts(
  api: Webservice,
  orders: readonly OrderRow[],
  states: ReadonlyMap<number, { readonly name: string }>,
  signal: AbortSignal,
): Promise<readonly OrderParts[]> {
  const byIds = <Row extends z.ZodObject>(resource: Resource, row: Row, ids: readonly number[]) =>
    listByIds(api, resource, row, ids, signal);

  const lines = orders.flatMap((order) => order.associations.order_rows);
  const [customers, addresses, rules, payments, combinations, products] = await Promise.all([
    byIds(
      'customers',
      customerRow,
      orders.map((order) => order.id_customer),
    ),
    byIds(
      'addresses',
      addressRow,
      orders.flatMap((order) => [order.id_address_delivery, order.id_address_invoice]),
    ),
    listBy(
      api,
      'order_cart_rules',
      orderCartRuleRow,
      'id_order',
      orders.map((order) => order.id),
      signal,
    ),
    listBy(
      api,
      'order_payments',
      orderPaymentRow,
      'order_reference',
      orders.map((order) => order.reference),
      signal,
    ),
    byIds(
      'combinations',
      combinationRow,
      lines.map((line) => line.product_attribute_id),
    ),
    byIds(
      'products',
      productRow,
      lines.map((line) => line.product_id),
    ),
  ]);
  const [codes, countries, values, suppliers, brands] = await Promise.all([
    byIds(
      'cart_rules',
      cartRuleRow,
      rules.map((rule) => rule.id_cart_rule),
    ),
    byIds(
      'countries',
      countryRow,
      addresses.map((address) => address.id_country),
    ),
    byIds(
      'product_option_values',
      namedRow,
      combinations.flatMap((row) => row.associations.product_option_values),
    ),
    byIds(
      'suppliers',
      namedRow,
      products.map((product) => product.id_supplier),
    ),
    byIds(
      'manufacturers',
      namedRow,
      products.map((product) => product.id_manufacturer),
    ),
  ]);
  const find = <T extends { readonly id: number }>(rows: readonly T[], id: number) =>
    rows.find((row) => row.id === id);
  const addressOf = (id: number) => {
    const address = find(addresses, id);
    return address && { ...address, country: find(countries, address.id_country)?.name ?? '' };
  };
  return orders.map((order) => ({
    order,
    status: states.get(order.current_state)?.name ?? '',
    customer: find(customers, order.id_customer),
    delivery: addressOf(order.id_address_delivery),
    invoice: addressOf(order.id_address_invoice),
    transactions: payments
      .filter((payment) => payment.order_reference === order.reference)
      .map((payment) => payment.transaction_id)
      .filter((id) => id !== ''),
    cartRules: rules
      .filter((rule) => rule.id_order === order.id && !rule.deleted)
      .map((rule) => ({
        name: rule.name,
        // A rule that was deleted has no code any more; its name often is the code.
        code: find(codes, rule.id_cart_rule)?.code || rule.name,
        value: rule.value,
      })),
    products: order.associations.order_rows.map((line): ProductParts => {
      const product = find(products, line.product_id);
      const chosen = find(combinations, line.product_attribute_id)?.associations.product_option_values ?? [];
      return {
        reference: product?.reference ?? '',
        size: chosen.map((id) => find(values, id)?.name ?? '').join(' '),
        supplier: find(suppliers, product?.id_supplier ?? 0)?.name ?? '',
        brand: find(brands, product?.id_manufacturer ?? 0)?.name ?? '',
      };
    }),
  }));
}
