import { changeState } from './change-state.ts';
import type { Row } from './database.ts';
import { rowsOf } from './database.ts';
import { TABLES } from './tables.ts';
import { load, wholeNumber } from './php-value.ts';
import {
  added,
  bool,
  float,
  id,
  idOf,
  integer,
  longHtml,
  must,
  price,
  stamps,
  wholes,
} from './field-rules.ts';
import type { AssociationItem, Entity, Resource } from './resource.ts';
import type { Site } from './site.ts';
import { PhpFatalError } from './webservice-error.ts';

const ROW_FIELDS = [
  'product_id',
  'product_attribute_id',
  'product_quantity',
  'product_name',
  'product_reference',
  'product_ean13',
  'product_isbn',
  'product_upc',
  'product_price',
  'id_customization',
  'unit_price_tax_incl',
  'unit_price_tax_excl',
] as const;

const orders: Resource = {
  name: 'orders',
  node: 'order',
  className: 'Order',
  table: 'orders',
  fields: {
    id_address_delivery: must(idOf('addresses')),
    id_address_invoice: must(idOf('addresses')),
    id_cart: must(idOf('carts')),
    id_currency: must(idOf('currencies')),
    id_lang: must(idOf('languages')),
    id_customer: must(idOf('customers')),
    id_carrier: must(idOf('carriers')),
    current_state: {
      ...idOf('order_states'),
      set: (site, entity, value) => {
        const row = entity.row as Row<'orders'> | undefined;
        const state = wholeNumber(value);
        if (row === undefined || state === 0 || state === row.current_state) return;
        if (!site.database.order_states.rows.has(state)) throw new PhpFatalError(`No order state ${state}`);
        changeState(site, row.id, state);
        refresh(site, entity);
      },
    },
    module: must({ format: 'isModuleName' }),
    invoice_number: {},
    invoice_date: {},
    delivery_number: {},
    delivery_date: {},
    valid: {},
    ...stamps,
    shipping_number: {
      dynamic: (_site, entity, lookup) =>
        lookup.rows('order_carriers', 'id_order', wholeNumber(entity.id)).at(-1)?.tracking_number ?? '',
      set: ({ database }, entity, value) => {
        const carrier = rowsOf(database, 'order_carriers', (row) => row.id_order === Number(entity.id)).at(
          -1,
        );
        if (carrier !== undefined) carrier.tracking_number = value;
      },
    },
    note: { size: 4_194_303 },
    id_shop_group: id,
    id_shop: id,
    secure_key: { format: 'isMd5' },
    payment: must({ format: 'isGenericName' }),
    recyclable: bool,
    gift: bool,
    gift_message: longHtml,
    mobile_theme: bool,
    total_discounts: price,
    total_discounts_tax_incl: price,
    total_discounts_tax_excl: price,
    total_paid: must(price),
    total_paid_tax_incl: price,
    total_paid_tax_excl: price,
    total_paid_real: must(price),
    total_products: must(price),
    total_products_wt: must(price),
    total_shipping: price,
    total_shipping_tax_incl: price,
    total_shipping_tax_excl: price,
    carrier_tax_rate: float,
    total_wrapping: price,
    total_wrapping_tax_incl: price,
    total_wrapping_tax_excl: price,
    round_mode: id,
    round_type: id,
    conversion_rate: must(float),
    reference: {},
  },
  associations: {
    order_rows: {
      node: 'order_row',
      fields: {
        id: {},
        product_id: { link: 'products', required: true },
        product_attribute_id: { required: true },
        product_quantity: { required: true },
        product_name: { readOnly: true },
        product_reference: { readOnly: true },
        product_ean13: { readOnly: true },
        product_isbn: { readOnly: true },
        product_upc: { readOnly: true },
        product_price: { readOnly: true },
        id_customization: { link: 'customizations' },
        unit_price_tax_incl: { readOnly: true },
        unit_price_tax_excl: { readOnly: true },
      },
      read: (lookup, order): AssociationItem[] =>
        lookup.rows('order_details', 'id_order', order).map((row) => ({
          id: row.id,
          ...Object.fromEntries(ROW_FIELDS.map((field) => [field, row[field]])),
        })),
    },
  },
};

/** Takes over into the object what a change of state has written into its row. */
function refresh(site: Site, entity: Entity): void {
  const row = entity.row as Row<'orders'>;
  const changed = [
    'current_state',
    'valid',
    'invoice_number',
    'invoice_date',
    'delivery_number',
    'delivery_date',
    'total_paid_real',
  ] as const;
  for (const field of changed) entity.values[field] = load(row[field], TABLES.orders[field], site.version);
}

const orderDetails: Resource = {
  name: 'order_details',
  node: 'order_detail',
  className: 'OrderDetail',
  table: 'order_details',
  fields: {
    id_order: must(idOf('orders')),
    product_id: idOf('products'),
    product_attribute_id: idOf('combinations'),
    product_quantity_reinjected: wholes,
    group_reduction: float,
    discount_quantity_applied: {},
    download_hash: {},
    download_deadline: {},
    id_order_invoice: id,
    id_warehouse: must(id),
    id_shop: must(id),
    id_customization: id,
    product_name: must({ format: 'isGenericName' }),
    product_quantity: must(integer),
    product_quantity_in_stock: integer,
    product_quantity_return: wholes,
    product_quantity_refunded: wholes,
    product_price: must(price),
    reduction_percent: float,
    reduction_amount: price,
    reduction_amount_tax_incl: price,
    reduction_amount_tax_excl: price,
    product_quantity_discount: float,
    product_ean13: { format: 'isEan13' },
    product_isbn: { format: 'isIsbn' },
    product_upc: { format: 'isUpc' },
    product_mpn: { format: 'isMpn' },
    product_reference: { format: 'isReference' },
    product_supplier_reference: { format: 'isReference' },
    product_weight: float,
    tax_computation_method: id,
    id_tax_rules_group: integer,
    ecotax: float,
    ecotax_tax_rate: float,
    download_nb: integer,
    unit_price_tax_incl: price,
    unit_price_tax_excl: price,
    total_price_tax_incl: price,
    total_price_tax_excl: price,
    total_shipping_price_tax_excl: price,
    total_shipping_price_tax_incl: price,
    purchase_supplier_price: price,
    original_product_price: price,
    original_wholesale_price: price,
    total_refunded_tax_excl: price,
    total_refunded_tax_incl: price,
  },
  associations: {
    taxes: {
      node: 'tax',
      api: 'taxes',
      fields: { id: {} },
      path: (_entity, item) => `taxes/${item.id}`,
      read: (lookup, detail) =>
        lookup.links('detailTaxes', 'detail', detail).map((link) => ({ id: link.tax })),
    },
  },
};

const orderPayments: Resource = {
  name: 'order_payments',
  node: 'order_payment',
  className: 'OrderPayment',
  table: 'order_payments',
  fields: {
    order_reference: { size: { '1.7.8': 9, '8.2': 9, '9.1': 255 } },
    id_currency: must(id),
    amount: must(price),
    payment_method: { format: 'isGenericName' },
    conversion_rate: float,
    transaction_id: { size: 254 },
    card_number: { size: 254 },
    card_brand: { size: 254 },
    card_expiration: { size: 254 },
    card_holder: { size: 254 },
    ...added,
    id_employee: { ...id, only: ['8.2', '9.1'] },
  },
  unsorted: () => ['order_reference'],
};

const orderCartRules: Resource = {
  name: 'order_cart_rules',
  node: 'order_cart_rule',
  className: 'OrderCartRule',
  table: 'order_cart_rules',
  fields: {
    id_order: must(idOf('orders')),
    id_cart_rule: must(id),
    id_order_invoice: id,
    name: { required: true },
    value: must(float),
    value_tax_excl: must(float),
    free_shipping: bool,
    deleted: bool,
  },
};

const cartRules: Resource = {
  name: 'cart_rules',
  node: 'cart_rule',
  className: 'CartRule',
  table: 'cart_rules',
  fields: {
    id_customer: id,
    date_from: must({ format: 'isDate' }),
    date_to: must({ format: 'isDate' }),
    description: longHtml,
    quantity: wholes,
    quantity_per_user: wholes,
    priority: wholes,
    partial_use: bool,
    code: { size: 254, format: 'isCleanHtml' },
    minimum_amount: float,
    minimum_amount_tax: bool,
    minimum_amount_currency: integer,
    minimum_amount_shipping: bool,
    country_restriction: bool,
    carrier_restriction: bool,
    group_restriction: bool,
    cart_rule_restriction: bool,
    product_restriction: bool,
    shop_restriction: bool,
    free_shipping: bool,
    reduction_percent: { format: 'isPercentage' },
    reduction_amount: float,
    reduction_tax: bool,
    reduction_currency: id,
    reduction_product: integer,
    reduction_exclude_special: bool,
    gift_product: id,
    gift_product_attribute: id,
    highlight: bool,
    active: bool,
    ...stamps,
    name: { required: true, size: 254 },
  },
};

const orderHistories: Resource = {
  name: 'order_histories',
  node: 'order_history',
  className: 'OrderHistory',
  table: 'order_histories',
  fields: {
    id_employee: idOf('employees'),
    id_order_state: must(idOf('order_states')),
    id_order: must(idOf('orders')),
    ...added,
  },
  unsorted: () => ['id_order'],
  beforeAdd: (site, entity) => {
    const [order, state] = [wholeNumber(entity.values.id_order), wholeNumber(entity.values.id_order_state)];
    if (!site.database.orders.rows.has(order) || !site.database.order_states.rows.has(state))
      throw new PhpFatalError(`No order ${order} or no state ${state}`);
  },
  afterAdd: (site, entity) => {
    const { id_order, id_order_state } = entity.row as Row<'order_histories'>;
    changeState(site, id_order, id_order_state, { noted: false });
  },
};

const orderSlips: Resource = {
  name: 'order_slip',
  node: 'order_slip',
  className: 'OrderSlip',
  table: 'order_slips',
  fields: {
    id_customer: must(idOf('customers')),
    id_order: must(idOf('orders')),
    conversion_rate: must(float),
    total_products_tax_excl: must(float),
    total_products_tax_incl: must(float),
    total_shipping_tax_excl: must(float),
    total_shipping_tax_incl: must(float),
    amount: float,
    shipping_cost: {},
    shipping_cost_amount: float,
    partial: {},
    ...stamps,
    order_slip_type: integer,
  },
  associations: {
    order_slip_details: {
      node: 'order_slip_detail',
      fields: {
        id: {},
        id_order_detail: { required: true },
        product_quantity: { required: true },
        amount_tax_excl: { required: true },
        amount_tax_incl: { required: true },
      },
      read: (lookup, slip): AssociationItem[] =>
        lookup
          .rows('order_slip_details', 'id_order_slip', slip)
          .map(({ id: detail, id_order_detail, product_quantity, amount_tax_excl, amount_tax_incl }) => ({
            id: detail,
            id_order_detail,
            product_quantity,
            amount_tax_excl,
            amount_tax_incl,
          })),
    },
  },
};

const orderStates: Resource = {
  name: 'order_states',
  node: 'order_state',
  className: 'OrderState',
  table: 'order_states',
  fields: {
    unremovable: {},
    delivery: {},
    hidden: {},
    send_email: bool,
    module_name: { format: 'isModuleName' },
    invoice: bool,
    color: { format: 'isColor' },
    logable: bool,
    shipped: bool,
    paid: bool,
    pdf_delivery: bool,
    pdf_invoice: bool,
    deleted: bool,
    name: { required: true, size: 64, format: 'isGenericName' },
    template: { size: 64 },
  },
  // By the module that brought them, as their index stands.
  unsorted: () => ['module_name'],
};

const orderInvoices: Resource = {
  name: 'order_invoices',
  node: 'order_invoice',
  className: 'OrderInvoice',
  table: 'order_invoices',
  fields: {
    id_order: must(id),
    number: must(id),
    delivery_number: id,
    delivery_date: { format: 'isDateFormat' },
    total_discount_tax_excl: {},
    total_discount_tax_incl: {},
    total_paid_tax_excl: {},
    total_paid_tax_incl: {},
    total_products: {},
    total_products_wt: {},
    total_shipping_tax_excl: {},
    total_shipping_tax_incl: {},
    shipping_tax_computation_method: {},
    total_wrapping_tax_excl: {},
    total_wrapping_tax_incl: {},
    shop_address: { size: 1_000, format: 'isCleanHtml' },
    note: { size: 65_000, format: 'isCleanHtml' },
    ...added,
  },
};

const orderCarriers: Resource = {
  name: 'order_carriers',
  node: 'order_carrier',
  className: 'OrderCarrier',
  table: 'order_carriers',
  fields: {
    id_order: must(idOf('orders')),
    id_carrier: must(idOf('carriers')),
    id_order_invoice: id,
    weight: float,
    shipping_cost_tax_excl: float,
    shipping_cost_tax_incl: float,
    tracking_number: {},
    ...added,
  },
};

/** The resources of what was sold. */
export const orderResources: readonly Resource[] = [
  orders,
  orderDetails,
  orderPayments,
  orderCartRules,
  cartRules,
  orderHistories,
  orderSlips,
  orderStates,
  orderInvoices,
  orderCarriers,
];
