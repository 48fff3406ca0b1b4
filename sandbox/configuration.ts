import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { LAYOUT } from './sandbox.ts';
import type { Sandbox } from './sandbox.ts';
import type { Scenario } from './scenario.ts';
import { FIRST_ORDER } from './shop.ts';
import { CATEGORY, SIZE_ATTRIBUTE, TAX } from './webservice-shop.ts';

export interface ConfigurationOptions {
  /** Folder for passerelle.yaml, the template and passerelle's data; made when missing. */
  readonly folder: string;
  readonly scenario: Scenario;
  /** Sections that replace or add to what is written, setting by setting: `{ temporal: { port: 7300 } }`. */
  readonly overrides?: Readonly<Record<string, Readonly<Record<string, unknown>> | string>>;
}

export interface Configuration {
  /** Path of passerelle.yaml. */
  readonly path: string;
  /** The variables that passerelle.yaml refers to. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Real milliseconds below which a wait makes no sense on a busy machine, whatever the scale. */
const LEAST = {
  timeout: 5_000,
  settle: 250,
  look: 200,
  margin: 50,
  attempt: 10_000,
  deadline: 15_000,
} as const;

/** How an order looks that is paid with a gift voucher. */
const VOUCHER = {
  payments: ['*bon cadeau*', '*chèque cadeau*'],
  paymentModules: ['boncadeau'],
  codes: ['BC-*'],
} as const;

/** Titles of the Order Export module's columns, by our names. */
export const ORDER_COLUMNS = {
  order: {
    id: 'id_order',
    reference: 'reference',
    state: 'current_state',
    status: 'status_order',
    date: 'date_add',
    payment: 'payment',
    paymentModule: 'payment_method',
    transaction: 'payment_transaction_id',
    voucherName: 'voucher_name',
    voucherCode: 'voucher_code',
    voucherAmount: 'voucher_tax_incl',
    total: 'total_paid_tax_incl',
    totalWithoutTax: 'total_paid_tax_excl',
    shipping: 'total_shipping_tax_incl',
    discounts: 'total_discounts_tax_incl',
  },
  customer: {
    firstname: 'customer_firstname',
    lastname: 'customer_lastname',
    email: 'customer_email',
  },
  delivery: addressColumns('delivery'),
  invoice: addressColumns('invoice'),
  line: {
    ean: 'product_ean13',
    reference: 'product_reference',
    name: 'product_name',
    quantity: 'product_quantity',
    unitPrice: 'unit_product_price_tax_incl',
    size: 'combinations_value',
    supplier: 'supplier_name',
    brand: 'manufacturer_name',
    productId: 'product_id',
    variantId: 'product_attribute_id',
  },
} as const;

/** Titles of Proshop's columns in ExportCSV, by our names. */
export const STOCK_COLUMNS = {
  supplier: 'Fournisseur',
  material: 'Matiere',
  color: 'Couleur',
  reference: 'Modele',
  size: 'Taille',
  ean: 'Gencod',
  price: 'Prix',
  quantity: 'Stock',
  store: 'Magasin',
} as const;

/** Writes a complete passerelle.yaml and its template for a sandbox, waits and margins scaled by its clock. */
export async function writeConfiguration(
  sandbox: Sandbox,
  options: ConfigurationOptions,
): Promise<Configuration> {
  await mkdir(options.folder, { recursive: true });
  const template = join(options.folder, 'ventes.xml');
  await copyFile(fileURLToPath(new URL('sales-template.xml', import.meta.url)), template);

  const scaled = (seconds: number, least: number) =>
    `${Math.max(least, Math.round((seconds * 1_000) / sandbox.clock.scale))}ms`;
  const deadline = (seconds: number) => scaled(seconds, LEAST.deadline);
  const settings: Record<string, unknown> = {
    timeZone: 'Europe/Paris',
    schedule: { cron: '25,55 * * * *' },
    data: './data',
    ftp: {
      host: sandbox.ftp.host,
      port: sandbox.ftp.port,
      user: sandbox.ftp.user,
      password: '${FTP_PASSWORD}',
      timeout: scaled(30, LEAST.timeout),
      staging: LAYOUT.staging,
      settle: scaled(3, LEAST.settle),
    },
    ...(sandbox.webservice === undefined
      ? {
          shop: {
            kind: 'modules',
            exportOrders: '${SHOP_EXPORT_ORDERS_URL}',
            importProducts: '${SHOP_IMPORT_PRODUCTS_URL}',
            updateStock: '${SHOP_UPDATE_STOCK_URL}',
            timeout: scaled(120, LEAST.timeout),
            busy: 'Other import is running now',
          },
          orders: {
            folder: LAYOUT.orders.folder,
            name: LAYOUT.orders.name,
            file: { encoding: 'utf-8', delimiter: ';', quote: '"', decimalMark: '.' },
            columns: ORDER_COLUMNS,
            voucher: VOUCHER,
          },
        }
      : {
          shop: {
            kind: 'webservice',
            url: sandbox.webservice.url,
            key: '${SHOP_KEY}',
            firstOrder: FIRST_ORDER,
            newProducts: {
              taxRulesGroup: TAX.group,
              taxRate: TAX.rate,
              category: CATEGORY,
              sizeAttribute: SIZE_ATTRIBUTE,
            },
            timeout: scaled(30, LEAST.timeout),
            // Not `overlap`: that is time of the shop's own, which runs as fast as the sandbox's.
            incompleteAfter: scaled(600, LEAST.timeout),
          },
          orders: { voucher: VOUCHER },
        }),
    proshop: {
      importFolder: LAYOUT.import,
      salesPrefix: 'ventes',
      template: './ventes.xml',
      exportFolder: LAYOUT.stock.folder,
      exportName: LAYOUT.stock.name,
      margin: scaled(120, LEAST.margin),
      every: scaled(1_800, LEAST.margin),
    },
    stock: {
      file: { encoding: 'windows-1252', delimiter: ';', quote: '"', decimalMark: ',' },
      columns: STOCK_COLUMNS,
      store: LAYOUT.store,
      updateName: LAYOUT.stock.update,
      outstanding: 'subtract',
      protected: options.scenario.vouchers.map(({ reference, ean, stock }) => ({
        reference,
        ean,
        quantity: stock,
      })),
    },
    gate: { firstRun: 'apply', rowsDown: 30, unitsDown: 30, toZero: 20 },
    waits: {
      look: scaled(15, LEAST.look),
      heartbeat: scaled(30, LEAST.timeout),
      attempt: scaled(300, LEAST.attempt),
      exportOrders: deadline(240),
      deliverOrders: deadline(180),
      ordersTaken: deadline(600),
      stockExport: deadline(1_200),
      newProducts: deadline(300),
      prepareStock: deadline(180),
      updateStock: deadline(600),
      decision: scaled(240, LEAST.look),
    },
  };
  for (const [section, values] of Object.entries(options.overrides ?? {})) {
    const current = settings[section];
    settings[section] =
      typeof values === 'object' && typeof current === 'object' ? { ...current, ...values } : values;
  }

  const path = join(options.folder, 'passerelle.yaml');
  await writeFile(path, stringify(settings, { lineWidth: 110 }));
  return {
    path,
    environment: {
      FTP_PASSWORD: sandbox.ftp.password,
      ...(sandbox.webservice === undefined
        ? {
            SHOP_EXPORT_ORDERS_URL: sandbox.urls.exportOrders,
            SHOP_IMPORT_PRODUCTS_URL: sandbox.urls.importProducts,
            SHOP_UPDATE_STOCK_URL: sandbox.urls.updateStock,
          }
        : { SHOP_KEY: sandbox.webservice.key }),
    },
  };
}

function addressColumns(prefix: string): Readonly<Record<string, string>> {
  const fields = [
    'company',
    'firstname',
    'lastname',
    'address1',
    'address2',
    'postcode',
    'city',
    'country',
    'phone',
  ] as const;
  return Object.fromEntries(fields.map((field) => [field, `${prefix}_${field}`]));
}
