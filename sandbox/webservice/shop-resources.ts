import { bool, float, genericName, id, idOf, integer, must, name, stamps, wholes } from './field-rules.ts';
import type { Resource } from './resource.ts';
import { DEFAULT_LANGUAGE } from './site.ts';

const customers: Resource = {
  name: 'customers',
  node: 'customer',
  className: 'Customer',
  table: 'customers',
  fields: {
    id_default_group: idOf('groups'),
    id_lang: idOf('languages'),
    newsletter_date_add: {},
    ip_registration_newsletter: {},
    last_passwd_gen: {},
    secure_key: { format: 'isMd5' },
    deleted: bool,
    passwd: must({ size: 255 }),
    lastname: must(name(255)),
    firstname: must(name(255)),
    email: must({ size: 255 }),
    id_gender: id,
    birthday: { format: 'isDate' },
    newsletter: bool,
    optin: bool,
    website: {},
    company: genericName,
    siret: {},
    ape: {},
    outstanding_allow_amount: float,
    show_public_prices: bool,
    id_risk: wholes,
    max_payment_days: wholes,
    active: bool,
    note: {},
    is_guest: bool,
    id_shop: id,
    id_shop_group: id,
    ...stamps,
    reset_password_token: {},
    reset_password_validity: {},
  },
  associations: {
    groups: {
      node: 'group',
      api: 'groups',
      fields: { id: {} },
      path: (_entity, item) => `groups/${item.id}`,
      read: (lookup, customer) =>
        lookup.links('customerGroups', 'customer', customer).map((link) => ({ id: link.group })),
    },
  },
};

const addresses: Resource = {
  name: 'addresses',
  node: 'address',
  className: 'Address',
  table: 'addresses',
  fields: {
    id_customer: idOf('customers'),
    id_manufacturer: idOf('manufacturers'),
    id_supplier: idOf('suppliers'),
    id_warehouse: idOf('warehouses'),
    id_country: must(idOf('countries')),
    id_state: idOf('states'),
    alias: must(name(32)),
    company: name(255),
    lastname: must(name(255)),
    firstname: must(name(255)),
    vat_number: genericName,
    address1: must({ size: 128 }),
    address2: { size: 128 },
    postcode: { size: 12 },
    city: must({ size: 64 }),
    other: { size: 300 },
    phone: { size: 32 },
    phone_mobile: { size: 32 },
    dni: { size: 16 },
    deleted: bool,
    ...stamps,
  },
  unsorted: () => ['id_customer'],
};

const countries: Resource = {
  name: 'countries',
  node: 'country',
  className: 'Country',
  table: 'countries',
  fields: {
    id_zone: must(idOf('zones')),
    id_currency: idOf('currencies'),
    call_prefix: {},
    iso_code: must({ size: 3 }),
    active: bool,
    contains_states: must(bool),
    need_identification_number: must(bool),
    need_zip_code: bool,
    zip_code_format: {},
    display_tax_label: must(bool),
    name: must(name(64)),
  },
};

const languages: Resource = {
  name: 'languages',
  node: 'language',
  className: 'Language',
  table: 'languages',
  fields: {
    name: must(name(32)),
    iso_code: must({ size: 2 }),
    locale: { size: 5 },
    language_code: { size: 5 },
    active: bool,
    is_rtl: bool,
    date_format_lite: must({ size: 32 }),
    date_format_full: must({ size: 32 }),
  },
};

const currencies: Resource = {
  name: 'currencies',
  node: 'currency',
  className: 'Currency',
  table: 'currencies',
  fields: {
    names: {},
    name: {
      dynamic: ({ database }, entity) =>
        database.currencies.rows.get(Number(entity.id))?.names[DEFAULT_LANGUAGE] ?? '',
    },
    symbol: {},
    iso_code: must({ size: 3 }),
    numeric_iso_code: { size: 3 },
    precision: integer,
    conversion_rate: must({ format: 'isUnsignedFloat' }),
    deleted: bool,
    active: bool,
    unofficial: bool,
    modified: bool,
    pattern: {},
  },
};

const taxes: Resource = {
  name: 'taxes',
  node: 'tax',
  className: 'Tax',
  table: 'taxes',
  fields: {
    rate: must(float),
    active: {},
    deleted: {},
    name: must(name(32)),
  },
};

const taxRuleGroups: Resource = {
  name: 'tax_rule_groups',
  node: 'tax_rule_group',
  className: 'TaxRulesGroup',
  table: 'tax_rule_groups',
  fields: { name: must(name(64)), active: bool, deleted: bool, ...stamps },
};

const taxRules: Resource = {
  name: 'tax_rules',
  node: 'tax_rule',
  className: 'TaxRule',
  table: 'tax_rules',
  fields: {
    id_tax_rules_group: must(idOf('tax_rule_groups')),
    id_state: idOf('states'),
    id_country: must(idOf('countries')),
    zipcode_from: {},
    zipcode_to: {},
    id_tax: must(id),
    behavior: wholes,
    description: { format: 'isString' },
  },
};

const carriers: Resource = {
  name: 'carriers',
  node: 'carrier',
  className: 'Carrier',
  table: 'carriers',
  fields: {
    deleted: {},
    is_module: {},
    id_tax_rules_group: {
      link: 'tax_rule_groups',
      dynamic: ({ database }, entity) =>
        database.carriers.rows.get(Number(entity.id))?.id_tax_rules_group ?? 0,
      set: () => undefined,
    },
    id_reference: {},
    name: must({ size: 64 }),
    active: must(bool),
    is_free: bool,
    url: {},
    shipping_handling: bool,
    shipping_external: {},
    range_behavior: bool,
    // A number in JSON whatever the version: it goes through PHP.
    shipping_method: { ...wholes, loads: (_site, row) => Number(row.shipping_method) },
    max_width: wholes,
    max_height: wholes,
    max_depth: wholes,
    max_weight: float,
    grade: wholes,
    external_module_name: { size: 64 },
    need_range: {},
    position: {},
    delay: must(name(512)),
  },
};

const shops: Resource = {
  name: 'shops',
  node: 'shop',
  className: 'Shop',
  table: 'shops',
  fields: {
    id_shop_group: must(idOf('shop_groups')),
    id_category: must({}),
    active: bool,
    deleted: bool,
    name: must(name(64)),
    color: { format: 'isColor' },
    theme_name: must({}),
  },
};

/** The resources of the shop itself and of its customers. */
export const shopResources: readonly Resource[] = [
  customers,
  addresses,
  countries,
  languages,
  currencies,
  taxes,
  taxRuleGroups,
  taxRules,
  carriers,
  shops,
];
