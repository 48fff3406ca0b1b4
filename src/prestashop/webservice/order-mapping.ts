import { Big } from 'big.js';
import type { Decimal, Order, OrderLine, SetAsideOrder, SoldLine } from '../../domain/order.ts';
import { orderSchema } from '../../domain/order.ts';
import { isGencod } from '../../domain/gencod.ts';
import type { AddressFields } from '../../domain/order.ts';
import type { addressRow, customerRow, OrderLineRow, OrderRow } from './rows.ts';
import type { z } from 'zod';

/** An order's row, and what other resources say of it. Each undefined = the shop does not have it (any more). */
export interface OrderParts {
  readonly order: OrderRow;
  /** Name of its state. */
  readonly status: string;
  readonly customer: z.output<typeof customerRow> | undefined;
  readonly delivery: AddressParts | undefined;
  readonly invoice: AddressParts | undefined;
  /** Ids of the payments' transactions. */
  readonly transactions: readonly string[];
  readonly cartRules: readonly { readonly name: string; readonly code: string; readonly value: Decimal }[];
  /** What its rows do not say of their products, in the same order. */
  readonly products: readonly ProductParts[];
}

export interface AddressParts extends z.output<typeof addressRow> {
  readonly country: string;
}

export interface ProductParts {
  /** The model; a row bears the reference of its size. */
  readonly reference: string;
  readonly size: string;
  readonly supplier: string;
  readonly brand: string;
}

/** Makes our order of it, or says why it cannot be sent: where = its line in the archived file. */
export function toOrder(
  parts: OrderParts,
  where: { readonly file: string; readonly line: number },
): { readonly order: Order } | { readonly setAside: SetAsideOrder & { readonly id: number } } {
  const made = orderFrom(parts);
  const checked = orderSchema.safeParse(made);
  if (checked.success) return { order: made };
  const [issue] = checked.error.issues;
  const path = issue?.path ?? [];
  const got = path.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key],
    made,
  );
  return {
    setAside: setAside(parts, where, path.join('.'), `Expected ${issue?.message}, got ${shownValue(got)}`),
  };
}

/** An order that a person must enter, with what it has sold. */
export function setAside(
  { order, products }: Pick<OrderParts, 'order' | 'products'>,
  where: { readonly file: string; readonly line: number },
  field: string,
  reason: string,
): SetAsideOrder & { readonly id: number } {
  return {
    id: order.id,
    reference: order.reference,
    ...where,
    field,
    reason,
    lines: soldLines(order, products),
  };
}

/** What an order took from the shop's stock, as far as its rows say. */
export function soldLines({ associations }: OrderRow, products: readonly ProductParts[]): SoldLine[] {
  return associations.order_rows
    .map((row, index) => ({
      ean: isGencod(row.product_ean13) ? row.product_ean13 : null,
      reference: products[index]?.reference || row.product_reference,
      quantity: row.product_quantity,
    }))
    .filter(({ quantity }) => quantity > 0);
}

/**
 * True when all its rows are there: PrestaShop shows an order from its first row on, and knows the products' total from
 * the start. Each unit may be rounded by half a cent.
 */
export function isComplete({ associations, total_products_wt }: OrderRow): boolean {
  const rows = associations.order_rows;
  const sum = rows.reduce(
    (total, row) => total.plus(new Big(row.unit_price_tax_incl).times(row.product_quantity)),
    new Big(0),
  );
  const units = rows.reduce((count, row) => count + row.product_quantity, 0);
  return (
    rows.length > 0 &&
    sum
      .minus(total_products_wt)
      .abs()
      .lte(new Big(0.005).times(Math.max(1, units)))
  );
}

function orderFrom({
  order,
  status,
  customer,
  delivery,
  invoice,
  transactions,
  cartRules,
  products,
}: OrderParts): Order {
  return {
    id: order.id,
    reference: order.reference,
    state: String(order.current_state),
    status,
    date: order.date_add,
    payment: order.payment,
    paymentModule: order.module,
    transaction: transactions.join(','),
    voucherName: cartRules.map(({ name }) => name).join(','),
    voucherCode: cartRules.map(({ code }) => code).join(','),
    voucherAmount: money(cartRules.reduce((sum, { value }) => sum.plus(value), new Big(0)).toFixed()),
    total: money(order.total_paid_tax_incl),
    totalWithoutTax: money(order.total_paid_tax_excl),
    shipping: money(order.total_shipping_tax_incl),
    discounts: money(order.total_discounts_tax_incl),
    customer: {
      firstname: customer?.firstname ?? '',
      lastname: customer?.lastname ?? '',
      email: customer?.email ?? '',
    },
    delivery: addressFrom(delivery),
    invoice: addressFrom(invoice),
    lines: order.associations.order_rows.map((row, index) => lineFrom(row, products[index])),
  };
}

function lineFrom(row: OrderLineRow, product: ProductParts | undefined): OrderLine {
  return {
    ean: row.product_ean13.trim(),
    reference: row.product_reference,
    name: row.product_name,
    quantity: row.product_quantity,
    unitPrice: money(row.unit_price_tax_incl),
    size: product?.size ?? '',
    supplier: product?.supplier ?? '',
    brand: product?.brand ?? '',
    productId: String(row.product_id),
    variantId: String(row.product_attribute_id),
  };
}

function addressFrom(address: AddressParts | undefined): AddressFields {
  return {
    company: address?.company ?? '',
    firstname: address?.firstname ?? '',
    lastname: address?.lastname ?? '',
    address1: address?.address1 ?? '',
    address2: address?.address2 ?? '',
    postcode: address?.postcode ?? '',
    city: address?.city ?? '',
    country: address?.country ?? '',
    phone: address?.phone || address?.phone_mobile || '',
  };
}

/** PrestaShop's six decimals without the zeros at their end, but for two: `147.990000` is `147.99`. */
function money(amount: Decimal): Decimal {
  const exact = new Big(amount).toFixed();
  return (exact.split('.')[1]?.length ?? 0) >= 2 ? exact : new Big(amount).toFixed(2);
}

function shownValue(value: unknown): string {
  if (value === undefined || value === '') return 'nothing';
  return Array.isArray(value) ? `${value.length}` : `\`${JSON.stringify(value).slice(0, 40)}\``;
}
