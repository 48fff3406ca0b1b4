import { matches } from './wildcard.ts';

import { z } from 'zod';
import { isGencod } from './gencod.ts';

/** Decimal number as text, `.` as decimal mark, no exponent: `89.90`. Never converted to a float. */
export type Decimal = string;

/** What is known of an order. Each field can be mapped to a column and used as a placeholder under `order.`. */
export interface OrderFields {
  /** PrestaShop's `id_order`, the key. `reference` is not unique: split orders share one. */
  readonly id: number;
  readonly reference: string;
  readonly state: string;
  readonly status: string;
  /** Shop's local time, `2026-11-24 10:20:00`. */
  readonly date: string;
  readonly payment: string;
  readonly paymentModule: string;
  readonly transaction: string;
  readonly voucherName: string;
  readonly voucherCode: string;
  readonly voucherAmount: Decimal;
  /** Paid, tax included. */
  readonly total: Decimal;
  readonly totalWithoutTax: Decimal;
  readonly shipping: Decimal;
  readonly discounts: Decimal;
}

export interface CustomerFields {
  readonly firstname: string;
  readonly lastname: string;
  readonly email: string;
}

export interface AddressFields {
  readonly company: string;
  readonly firstname: string;
  readonly lastname: string;
  readonly address1: string;
  readonly address2: string;
  readonly postcode: string;
  readonly city: string;
  readonly country: string;
  readonly phone: string;
}

export interface OrderLine {
  /** EAN-13 (gencod) of the variant. */
  readonly ean: string;
  readonly reference: string;
  readonly name: string;
  /** Units sold, 1 or more. */
  readonly quantity: number;
  /** Tax included. */
  readonly unitPrice: Decimal;
  readonly size: string;
  readonly supplier: string;
  readonly brand: string;
  readonly productId: string;
  readonly variantId: string;
}

export interface Order extends OrderFields {
  readonly customer: CustomerFields;
  readonly delivery: AddressFields;
  readonly invoice: AddressFields;
  readonly lines: readonly OrderLine[];
}

const decimal = z.string().regex(/^-?\d+(\.\d+)?$/, 'a decimal number');
const address = z.object({
  company: z.string(),
  firstname: z.string(),
  lastname: z.string(),
  address1: z.string(),
  address2: z.string(),
  postcode: z.string(),
  city: z.string(),
  country: z.string(),
  phone: z.string(),
});
const orderLine = z.object({
  ean: z.string().refine(isGencod, 'a barcode of 8 to 14 digits'),
  reference: z.string(),
  name: z.string(),
  quantity: z
    .int('a whole number')
    .min(1, 'a whole number of 1 or more')
    .max(1_000_000, 'a whole number up to 1000000'),
  unitPrice: decimal,
  size: z.string(),
  supplier: z.string(),
  brand: z.string(),
  productId: z.string(),
  variantId: z.string(),
});

/** What an order must be to be sent to Proshop. */
export const orderSchema = z.object({
  id: z.int('a whole number').min(1, 'a whole number of 1 or more'),
  reference: z.string(),
  state: z.string(),
  status: z.string(),
  date: z.string().regex(/^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)?$/, 'a time such as `2026-11-24 10:20:00`'),
  payment: z.string(),
  paymentModule: z.string(),
  transaction: z.string(),
  voucherName: z.string(),
  voucherCode: z.string(),
  voucherAmount: decimal,
  total: decimal,
  totalWithoutTax: decimal,
  shipping: decimal,
  discounts: decimal,
  customer: z.object({ firstname: z.string(), lastname: z.string(), email: z.string() }),
  delivery: address,
  invoice: address,
  lines: z.array(orderLine).min(1, 'one line or more'),
}) satisfies z.ZodType<Order>;

/** One line of any order, as far as it could be read: what Proshop's stock does not know yet. */
export interface SoldLine {
  /** Null when the line has no readable EAN: the units count against every variant of `reference`. */
  readonly ean: string | null;
  readonly reference: string;
  readonly quantity: number;
}

/** An order that cannot be turned into XML: never sent, reported with where and why. */
export interface SetAsideOrder {
  /** Null when not even the number could be read. */
  readonly id: number | null;
  readonly reference: string;
  readonly file: string;
  /** 1 = the header's line. */
  readonly line: number;
  readonly field: string;
  readonly reason: string;
  readonly lines: readonly SoldLine[];
}

export type OrderGroup = 'order' | 'customer' | 'delivery' | 'invoice' | 'line';

const ADDRESS = [
  'company',
  'firstname',
  'lastname',
  'address1',
  'address2',
  'postcode',
  'city',
  'country',
  'phone',
] as const satisfies readonly (keyof AddressFields)[];

/** Every field that a column can be mapped to and a template can name, by group. */
export const ORDER_FIELDS = {
  order: [
    'id',
    'reference',
    'state',
    'status',
    'date',
    'payment',
    'paymentModule',
    'transaction',
    'voucherName',
    'voucherCode',
    'voucherAmount',
    'total',
    'totalWithoutTax',
    'shipping',
    'discounts',
  ],
  customer: ['firstname', 'lastname', 'email'],
  delivery: ADDRESS,
  invoice: ADDRESS,
  line: [
    'ean',
    'reference',
    'name',
    'quantity',
    'unitPrice',
    'size',
    'supplier',
    'brand',
    'productId',
    'variantId',
  ],
} as const satisfies {
  order: readonly (keyof OrderFields)[];
  customer: readonly (keyof CustomerFields)[];
  delivery: readonly (keyof AddressFields)[];
  invoice: readonly (keyof AddressFields)[];
  line: readonly (keyof OrderLine)[];
};

/** How an order paid with a gift voucher is recognised. `*` stands for any characters, case does not count. */
export interface VoucherRule {
  readonly payments: readonly string[];
  readonly paymentModules: readonly string[];
  readonly codes: readonly string[];
}

/** True for an order that a person must enter in Proshop by hand (seed.md: such orders are not transmitted). */
export function isPaidWithVoucher(order: OrderFields, rule: VoucherRule): boolean {
  return (
    rule.payments.some((pattern) => matches(pattern, order.payment)) ||
    rule.paymentModules.some((pattern) => matches(pattern, order.paymentModule)) ||
    // One order can carry several cart rules; the module joins their codes with commas.
    order.voucherCode.split(',').some((code) => rule.codes.some((pattern) => matches(pattern, code.trim())))
  );
}
