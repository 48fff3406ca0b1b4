import { Big } from 'big.js';
import type { AddressSeed, OrderSeed } from '../scenario.ts';
import { articleOf } from './catalog.ts';
import type { Article } from './catalog.ts';
import type { Row } from './database.ts';
import { insertRow, rowsOf } from './database.ts';
import { taxRate } from './rendered.ts';
import { DEFAULT_LANGUAGE, SHOP, SHOP_GROUP } from './site.ts';
import type { Site } from './site.ts';

/** A line of an order, reckoned. */
export interface Line {
  readonly article: Article;
  readonly quantity: number;
  /** What the row notes of the code; some articles have none in the shop. */
  readonly ean: string;
  readonly rate: string | number;
  readonly tax: number;
  readonly unitNet: Big;
  readonly unitGross: Big;
}

/**
 * What a line of an order comes to.
 * @throws when the shop has no such article
 */
export function lineOf({ database }: Site, { ean, quantity, gencod }: OrderSeed['lines'][number]): Line {
  const article = articleOf(database, ean);
  if (article === undefined) throw new Error(`Expected an article of the shop, got gencod ${ean}`);
  const { product, combination } = article;
  const group = product.id_tax_rules_group;
  const rule = rowsOf(database, 'tax_rules', (row) => row.id_tax_rules_group === group)[0];
  const rate = taxRate(database, group);
  const unitNet = new Big(product.price).plus(combination?.price ?? 0);
  return {
    article,
    quantity,
    ean: gencod === false ? '' : ean,
    rate,
    tax: rule?.id_tax ?? 0,
    unitNet,
    // Six digits, so that three pieces at 40.983607 are not quite 150.
    unitGross: withRate(unitNet, rate).round(6),
  };
}

/** @throws when the shop shows too few units, and does not sell what it has not */
export function refuseWhatIsNotThere(lines: readonly Line[]): void {
  const wanted = new Map<string, number>();
  for (const { article, quantity } of lines) {
    const ean = article.combination?.ean13 ?? article.product.ean13;
    const units = (wanted.get(ean) ?? 0) + quantity;
    wanted.set(ean, units);
    const shown = article.stock?.quantity ?? 0;
    if (article.stock?.out_of_stock !== 1 && shown < units)
      throw new Error(`Expected ${units} unit(s) of ${ean} in the shop, got ${shown}`);
  }
}

/** The order with its totals, as it is before anything else is there. */
export function orderCells(
  site: Site,
  seed: OrderSeed,
  lines: readonly Line[],
  reference: string,
): Partial<Row<'orders'>> {
  const { database } = site;
  const now = site.localTime();
  const customer = customerOf(site, seed);
  const delivery = addressOf(site, seed.delivery, customer.id, 'Delivery');
  const invoice =
    seed.invoice === undefined ? delivery : addressOf(site, seed.invoice, customer.id, 'Invoice');
  const rate = lines[0]?.rate ?? 0;
  const sum = (price: (line: Line) => Big) =>
    lines.reduce((total, line) => total.plus(price(line).times(line.quantity).round(2)), new Big(0));
  const productsNet = sum((line) => line.unitNet);
  const productsGross = sum((line) => line.unitGross);
  const shippingGross = new Big(seed.shipping ?? 0).div(100);
  const shippingNet = withoutRate(shippingGross, rate).round(2);
  const discountGross = least(new Big(seed.voucher?.amount ?? 0).div(100), productsGross.plus(shippingGross));
  const discountNet = withoutRate(discountGross, rate).round(2);
  const paidGross = productsGross.plus(shippingGross).minus(discountGross).toFixed(6);
  return {
    id_address_delivery: delivery,
    id_address_invoice: invoice,
    id_cart: database.nextCart++,
    id_currency: 1,
    id_lang: DEFAULT_LANGUAGE,
    id_customer: customer.id,
    id_carrier: rowsOf(database, 'carriers', (row) => row.active && !row.is_free)[0]?.id ?? 0,
    module: seed.paymentModule ?? (seed.payment.toLowerCase().replaceAll(/[^a-z]/g, '') || 'payment'),
    payment: seed.payment,
    date_add: now,
    date_upd: now,
    id_shop: SHOP,
    id_shop_group: SHOP_GROUP,
    secure_key: customer.secure_key,
    total_discounts: discountGross.toFixed(6),
    total_discounts_tax_incl: discountGross.toFixed(6),
    total_discounts_tax_excl: discountNet.toFixed(6),
    total_paid: paidGross,
    total_paid_tax_incl: paidGross,
    total_paid_tax_excl: productsNet.plus(shippingNet).minus(discountNet).toFixed(6),
    total_products: productsNet.toFixed(6),
    total_products_wt: productsGross.toFixed(6),
    total_shipping: shippingGross.toFixed(6),
    total_shipping_tax_incl: shippingGross.toFixed(6),
    total_shipping_tax_excl: shippingNet.toFixed(6),
    carrier_tax_rate: new Big(rate).toFixed(3),
    round_mode: 2,
    round_type: 2,
    conversion_rate: '1.000000',
    reference,
  };
}

/** A row of an order, which notes what the article is called and costs by then. */
export function detailCells(order: Row<'orders'>, line: Line): Partial<Row<'order_details'>> {
  const { product, combination } = line.article;
  const net = line.unitNet.toFixed(6);
  const total = (unit: Big) => unit.times(line.quantity).round(2).toFixed(6);
  return {
    id_order: order.id,
    product_id: product.id,
    product_attribute_id: combination?.id ?? 0,
    id_shop: SHOP,
    product_name: product.name[DEFAULT_LANGUAGE] ?? '',
    product_quantity: line.quantity,
    product_quantity_in_stock: line.quantity,
    product_price: net,
    product_ean13: line.ean,
    product_reference: combination?.reference || product.reference,
    id_tax_rules_group: product.id_tax_rules_group,
    unit_price_tax_incl: line.unitGross.toFixed(6),
    unit_price_tax_excl: net,
    total_price_tax_incl: total(line.unitGross),
    total_price_tax_excl: total(line.unitNet),
    purchase_supplier_price: product.wholesale_price,
    original_product_price: net,
    original_wholesale_price: product.wholesale_price,
  };
}

/** Notes the voucher of an order, which is on none of its rows. */
export function addVoucher(
  { database, localTime }: Site,
  { voucher }: OrderSeed,
  order: Row<'orders'>,
): void {
  if (voucher === undefined) return;
  const now = localTime();
  const rule =
    rowsOf(database, 'cart_rules', (row) => row.code === voucher.code)[0] ??
    insertRow(database, 'cart_rules', {
      date_from: now,
      date_to: now,
      quantity: 0,
      quantity_per_user: 1,
      priority: 1,
      code: voucher.code,
      reduction_amount: new Big(voucher.amount).div(100).toFixed(6),
      reduction_tax: true,
      reduction_currency: 1,
      active: true,
      date_add: now,
      date_upd: now,
      name: { [DEFAULT_LANGUAGE]: voucher.name },
    });
  insertRow(database, 'order_cart_rules', {
    id_order: order.id,
    id_cart_rule: rule.id,
    name: voucher.name,
    value: order.total_discounts_tax_incl,
    value_tax_excl: order.total_discounts_tax_excl,
  });
}

function customerOf({ database, localTime }: Site, { customer }: OrderSeed): Row<'customers'> {
  const known = rowsOf(database, 'customers', (row) => row.email === customer.email)[0];
  if (known !== undefined) return known;
  const now = localTime();
  const row = insertRow(database, 'customers', {
    id_default_group: 3,
    id_lang: DEFAULT_LANGUAGE,
    last_passwd_gen: now,
    lastname: customer.lastname,
    firstname: customer.firstname,
    email: customer.email,
    active: true,
    id_shop: SHOP,
    id_shop_group: SHOP_GROUP,
    date_add: now,
    date_upd: now,
  });
  row.secure_key = row.id.toString(16).padStart(32, 'c');
  database.customerGroups.push({ customer: row.id, group: 3 });
  return row;
}

/** The id of the customer's address, which is noted once. */
function addressOf(
  { database, localTime }: Site,
  seed: AddressSeed,
  customer: number,
  alias: string,
): number {
  const cells = {
    id_customer: customer,
    id_country: countryOf(database, seed.country),
    company: seed.company ?? '',
    lastname: seed.lastname,
    firstname: seed.firstname,
    address1: seed.address1,
    address2: seed.address2 ?? '',
    postcode: seed.postcode,
    city: seed.city,
    phone: seed.phone ?? '',
  };
  const same = (row: Row<'addresses'>) =>
    Object.entries(cells).every(([key, cell]) => row[key as keyof typeof cells] === cell);
  const now = localTime();
  return (
    rowsOf(database, 'addresses', same)[0] ??
    insertRow(database, 'addresses', { ...cells, alias, date_add: now, date_upd: now })
  ).id;
}

/** A country by its code, or by its name in any language. */
function countryOf(database: Site['database'], said: string): number {
  const known = rowsOf(
    database,
    'countries',
    (row) => row.iso_code === said || Object.values(row.name).includes(said),
  )[0];
  return (known ?? insertRow(database, 'countries', { id_zone: 1, name: { [DEFAULT_LANGUAGE]: said } })).id;
}

/** Nine capital letters that no order has. */
export function freeReference({ database }: Site, random: () => number): string {
  const taken = new Set(rowsOf(database, 'orders').map((order) => order.reference));
  for (let shift = 0; shift < 26; shift++) {
    const letters = Array.from({ length: 9 }, () => (Math.floor(random() * 26) + shift) % 26);
    const reference = String.fromCodePoint(...letters.map((letter) => 65 + letter));
    if (!taken.has(reference)) return reference;
  }
  throw new Error('Expected a reference that no order has, got none in 26 draws');
}

function withRate(net: Big, rate: string | number): Big {
  return net.times(new Big(1).plus(new Big(rate).div(100)));
}

function withoutRate(gross: Big, rate: string | number): Big {
  return gross.div(new Big(1).plus(new Big(rate).div(100)));
}

function least(one: Big, other: Big): Big {
  return one.lt(other) ? one : other;
}
