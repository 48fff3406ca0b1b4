import type { Database } from './database.ts';
import { emptyDatabase, inEachLanguage, insertRow } from './database.ts';
import { ORDER_STATES } from './order-states.ts';
import { SHOP, SHOP_GROUP } from './site.ts';

export interface LanguageSeed {
  readonly name: string;
  readonly iso_code: string;
  readonly locale: string;
  readonly language_code: string;
  readonly date_format_lite: string;
}

export interface Installation {
  readonly name?: string;
  /** English and Italian when left out; the first one is the shop's. */
  readonly languages?: readonly LanguageSeed[];
  /** Each becomes a tax and a tax rules group of the same number; 22 % when left out. Percent. */
  readonly taxes?: readonly { readonly rate: number; readonly tax: string; readonly group: string }[];
  /** When the shop was installed. */
  readonly at?: string;
}

const LANGUAGES: readonly LanguageSeed[] = [
  {
    name: 'English (English)',
    iso_code: 'en',
    locale: 'en-US',
    language_code: 'en-us',
    date_format_lite: 'm/d/Y',
  },
  {
    name: 'Italiano (Italian)',
    iso_code: 'it',
    locale: 'it-IT',
    language_code: 'it',
    date_format_lite: 'd/m/Y',
  },
];

/** The countries that PrestaShop numbers first: code, dialling prefix, form of the postcode, zone. */
const COUNTRIES: readonly (readonly [string, number, string, number])[] = [
  ['DE', 49, 'NNNNN', 1],
  ['AT', 43, 'NNNN', 1],
  ['BE', 32, 'NNNN', 1],
  ['CA', 1, 'LNL NLN', 2],
  ['CN', 86, 'NNNNNN', 3],
  ['ES', 34, 'NNNNN', 1],
  ['FI', 358, 'NNNNN', 1],
  ['FR', 33, 'NNNNN', 1],
  ['GR', 30, 'NNNNN', 1],
  ['IT', 39, 'NNNNN', 1],
  ['JP', 81, 'NNN-NNNN', 3],
  ['LU', 352, 'NNNN', 1],
  ['NL', 31, 'NNNN LL', 1],
  ['PL', 48, 'NN-NNN', 1],
  ['PT', 351, 'NNNN-NNN', 1],
  ['CZ', 420, 'NNN NN', 1],
  ['GB', 44, '', 7],
  ['SE', 46, 'NNN NN', 1],
  ['CH', 41, 'NNNN', 7],
  ['DK', 45, 'NNNN', 1],
  ['US', 1, 'NNNNN', 2],
];
const WITH_STATES = ['CA', 'CN', 'IT', 'JP', 'US'];

/** Makes the tables of a shop that was installed and has sold nothing yet. */
export function installShop(installation: Installation = {}): Database {
  const database = emptyDatabase();
  const at = installation.at ?? '2026-11-24 01:56:17';
  const stamps = { date_add: at, date_upd: at };
  const languages = installation.languages ?? LANGUAGES;
  for (const language of languages) {
    insertRow(database, 'languages', {
      ...language,
      active: true,
      date_format_full: `${language.date_format_lite} H:i:s`,
    });
  }
  const same = (said: string) => inEachLanguage(database, said);
  const each = (said: (iso: string) => string) =>
    Object.fromEntries(languages.map((language, index) => [index + 1, said(language.iso_code)]));

  insertRow(database, 'shops', {
    id: SHOP,
    id_shop_group: SHOP_GROUP,
    id_category: 2,
    active: true,
    name: installation.name ?? 'Shop',
    theme_name: 'classic',
  });
  insertRow(database, 'currencies', {
    names: each((iso) => (iso === 'it' ? 'euro' : 'Euro')),
    symbol: same('€'),
    iso_code: 'EUR',
    numeric_iso_code: '978',
    precision: 2,
    conversion_rate: '1.000000',
    active: true,
    pattern: same(''),
  });
  for (const [iso_code, call_prefix, zip_code_format, id_zone] of COUNTRIES) {
    insertRow(database, 'countries', {
      id_zone,
      call_prefix,
      iso_code,
      contains_states: WITH_STATES.includes(iso_code) && iso_code !== 'CN',
      need_zip_code: true,
      zip_code_format,
      display_tax_label: iso_code !== 'CA' && iso_code !== 'US',
      name: each((iso) => new Intl.DisplayNames([iso], { type: 'region' }).of(iso_code) ?? iso_code),
    });
  }
  const taxes = installation.taxes ?? [{ rate: 22, tax: 'IVA IT 22%', group: 'IT Standard Rate (22%)' }];
  for (const { rate, tax, group } of taxes) {
    const { id: id_tax } = insertRow(database, 'taxes', {
      rate: rate.toFixed(3),
      active: true,
      name: same(tax),
    });
    const { id: id_tax_rules_group } = insertRow(database, 'tax_rule_groups', {
      name: group,
      active: true,
      ...stamps,
    });
    for (const id_country of database.countries.rows.keys()) {
      insertRow(database, 'tax_rules', {
        id_tax_rules_group,
        id_country,
        id_tax,
        zipcode_from: '0',
        zipcode_to: '0',
      });
    }
  }
  const category = { active: true, id_shop_default: SHOP, ...stamps };
  const empty = {
    description: same(''),
    additional_description: same(''),
    meta_title: same(''),
    meta_description: same(''),
    meta_keywords: same(''),
  };
  insertRow(database, 'categories', {
    ...category,
    ...empty,
    name: same('Root'),
    link_rewrite: same('root'),
  });
  insertRow(database, 'categories', {
    ...category,
    ...empty,
    id_parent: 1,
    level_depth: 1,
    is_root_category: true,
    name: same('Home'),
    link_rewrite: same('home'),
  });
  for (const { id, name, template, ...state } of ORDER_STATES) {
    insertRow(database, 'order_states', {
      ...state,
      id,
      unremovable: true,
      name: same(name),
      template: same(template ?? ''),
    });
  }
  const carrier = { id_tax_rules_group: 1, active: true, shipping_method: 1, max_weight: '0.000000' };
  insertRow(database, 'carriers', {
    ...carrier,
    id_reference: 1,
    name: 'Click and collect',
    is_free: true,
    delay: same('Pick up in-store'),
  });
  insertRow(database, 'carriers', {
    ...carrier,
    id_reference: 2,
    name: 'My carrier',
    shipping_handling: true,
    position: 1,
    delay: same('Delivery next day!'),
  });
  return database;
}
