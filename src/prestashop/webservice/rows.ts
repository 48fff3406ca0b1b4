import { z } from 'zod';

/*
 * PrestaShop's rows, as far as passerelle reads them. A number may come as a number, as text, or as null: it depends on
 * the shop's version, on the field, and on the verb. Recorded answers of three versions: test/fixtures/prestashop-webservice.
 */

/** A foreign key; 0 = none. */
const key = z.coerce.number().int().nonnegative();
const id = z.coerce.number().int().positive();
const text = z
  .union([z.string(), z.number()])
  .nullish()
  .transform((value) => (value == null ? '' : String(value)));
/** Six decimals, a point; may be missing where it is 0. */
const amount = text
  .transform((value) => (value === '' ? '0' : value))
  .refine((value) => /^-?\d+(\.\d+)?$/.test(value), 'an amount');
/** The shop's local time, `2026-11-24 10:25:03`. */
const localTime = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/, 'a time such as `2026-11-24 10:25:03`');
/** A text in each language: a plain one where the shop has one language. */
const inEachLanguage = z
  .union([z.array(z.object({ id: key, value: text })), text])
  .transform((value) => (typeof value === 'string' ? [value] : value.map((one) => one.value)));
/** The same, in the first language. */
const translated = inEachLanguage.transform(([first = '']) => first);
const flag = z
  .union([z.string(), z.number(), z.boolean()])
  .nullish()
  .transform((value) => value === '1' || value === 1 || value === true);
/** PrestaShop gives them in no order. */
const references = z
  .array(z.object({ id }))
  .default([])
  .transform((rows) => rows.map((row) => row.id).sort((one, other) => one - other));

/** What a poll needs to know of an order. */
export const orderHeadRow = z.object({ id, date_upd: localTime });

export const orderLineRow = z.object({
  id,
  product_id: key,
  product_attribute_id: key,
  product_quantity: z.coerce.number().int(),
  product_name: text,
  product_reference: text,
  /** As it was when it was ordered. */
  product_ean13: text.transform((code) => code.trim()),
  unit_price_tax_incl: amount,
});
export type OrderLineRow = z.output<typeof orderLineRow>;

export const orderRow = z.object({
  id,
  reference: text,
  current_state: key,
  date_add: localTime,
  date_upd: localTime,
  payment: text,
  module: text,
  id_customer: key,
  id_address_delivery: key,
  id_address_invoice: key,
  total_paid_tax_incl: amount,
  total_paid_tax_excl: amount,
  total_products_wt: amount,
  total_shipping_tax_incl: amount,
  total_discounts_tax_incl: amount,
  // Absent while the order has no row yet.
  associations: z
    .object({
      // In the order in which they were bought; PrestaShop gives them in none.
      order_rows: z
        .array(orderLineRow)
        .default([])
        .transform((rows) => [...rows].sort((one, other) => one.id - other.id)),
    })
    .prefault({}),
});
export type OrderRow = z.output<typeof orderRow>;

export const customerRow = z.object({ id, firstname: text, lastname: text, email: text });
export const addressRow = z.object({
  id,
  company: text,
  firstname: text,
  lastname: text,
  address1: text,
  address2: text,
  postcode: text,
  city: text,
  id_country: key,
  phone: text,
  phone_mobile: text,
});
export const countryRow = z.object({ id, name: translated });
export const orderStateRow = z.object({ id, name: translated, paid: flag });
export const orderCartRuleRow = z.object({
  id,
  id_order: key,
  id_cart_rule: key,
  name: text,
  value: amount,
  /** Taken off the order again. */
  deleted: flag,
});
export const cartRuleRow = z.object({ id, code: text });
export const orderPaymentRow = z.object({ id, order_reference: text, transaction_id: text });
export const orderSlipRow = z.object({
  id,
  id_order: key,
  date_upd: localTime,
  associations: z
    .object({
      order_slip_details: z
        .array(z.object({ id_order_detail: key, product_quantity: z.coerce.number().int() }))
        .default([]),
    })
    .prefault({}),
});
export type OrderSlipRow = z.output<typeof orderSlipRow>;

export const namedRow = z.object({ id, name: translated });
/** An option or a value of one, to be found by its name in whichever language. */
export const namesRow = z.object({ id, name: inEachLanguage });
export const productSupplierRow = z.object({ id, id_supplier: key });
export const idRow = z.object({ id });
export const productRow = z.object({
  id,
  reference: text,
  ean13: text,
  id_manufacturer: key,
  id_supplier: key,
  /** `combinations`, `standard`; empty for what was made before 1.7.8 knew it. */
  product_type: text,
});
export const combinationRow = z.object({
  id,
  id_product: key,
  ean13: text,
  default_on: flag,
  associations: z.object({ product_option_values: references.prefault([]) }).prefault({}),
});

/** One number that a shopper sees. `id_product_attribute` 0 = the product as a whole. */
export const stockRow = z.object({
  id,
  id_product: key,
  id_product_attribute: key,
  id_shop: key,
  id_shop_group: key,
  quantity: z.coerce.number().int(),
  depends_on_stock: z.coerce.number().int(),
  out_of_stock: z.coerce.number().int(),
});
export type StockRow = z.output<typeof stockRow>;

/**
 * The fields to ask for. Only what is read: a customer has a password's hash too, and a product's texts are long.
 * Undefined = all of them.
 */
export function displayOf(row: z.ZodObject): readonly string[] | undefined {
  if (row === combinationRow) return ['id', 'id_product', 'ean13', 'default_on', 'product_option_values[id]'];
  return 'associations' in row.shape ? undefined : Object.keys(row.shape);
}
