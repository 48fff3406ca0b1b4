import { Big } from 'big.js';
import type { z } from 'zod';
import { isGencod } from '../../domain/gencod.ts';
import {
  orderSchema,
  type AddressFields,
  type Decimal,
  type Order,
  type OrderLine,
  type SetAsideOrder,
  type SoldLine,
} from '../../domain/order.ts';
import type { addressRow, customerRow, OrderLineRow, OrderRow, OrderSlipRow } from './rows.ts';

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
  const fault = faultOf(made) ?? sumFaultOf(parts.order);
  if (fault === null) return { order: made };
  const { id, reference } = parts.order;
  return { setAside: { id, reference, ...where, ...fault, lines: soldLines(parts.order, parts.products) } };
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

/** What of an order a slip refunds. */
export function refundedLines(
  { order, products }: Pick<OrderParts, 'order' | 'products'>,
  { associations }: OrderSlipRow,
): SoldLine[] {
  const units = new Map(
    associations.order_slip_details.map((row) => [row.id_order_detail, row.product_quantity]),
  );
  const rows = order.associations.order_rows.map((row) => ({
    ...row,
    product_quantity: units.get(row.id) ?? 0,
  }));
  return soldLines({ ...order, associations: { order_rows: rows } }, products);
}

/**
 * True when all its rows are there: PrestaShop shows an order before its first row, and knows the products' total from
 * the start. Each unit may be rounded by half a cent.
 */
export function isComplete(order: OrderRow): boolean {
  const rows = order.associations.order_rows;
  const units = rows.reduce((count, row) => count + row.product_quantity, 0);
  const difference = sumOf(rows).minus(order.total_products_wt).abs();
  return rows.length > 0 && difference.lte(new Big(0.005).times(Math.max(1, units)));
}

function sumOf(rows: readonly OrderLineRow[]): Big {
  return rows.reduce(
    (total, row) => total.plus(new Big(row.unit_price_tax_incl).times(row.product_quantity)),
    new Big(0),
  );
}

type Fault = Pick<SetAsideOrder, 'field' | 'reason'>;

function faultOf(order: Order): Fault | null {
  const issue = orderSchema.safeParse(order).error?.issues[0];
  if (issue === undefined) return null;
  const got = issue.path.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key],
    order,
  );
  return { field: issue.path.join('.'), reason: `Expected ${issue.message}, got ${shownValue(got)}` };
}

function sumFaultOf(order: OrderRow): Fault | null {
  if (isComplete(order)) return null;
  const [expected, got] = [order.total_products_wt, sumOf(order.associations.order_rows).toFixed()].map(
    money,
  );
  return { field: 'total_products_wt', reason: `Expected its rows to add up to ${expected}, got ${got}` };
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
    ean: row.product_ean13,
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

/** In cents: of PrestaShop's six decimals, those of a price before its tax was added are no money. */
function money(amount: Decimal): Decimal {
  return new Big(amount).toFixed(2);
}

function shownValue(value: unknown): string {
  if (value === undefined || value === '') return 'nothing';
  return Array.isArray(value) ? `${value.length}` : `\`${JSON.stringify(value).slice(0, 40)}\``;
}
