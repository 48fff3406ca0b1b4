import type { OldOrder } from './orders-csv.ts';

/** Elements of a sale's parts, and the module's title of the column that fills each. */
const PAYMENT = {
  Mode: 'payment',
  Total: 'total_paid_tax_incl',
  Port: 'total_shipping_tax_incl',
  Remise: 'total_discounts_tax_incl',
} as const;
const CUSTOMER = {
  Nom: 'customer_lastname',
  Prenom: 'customer_firstname',
  Courriel: 'customer_email',
  Societe: 'delivery_company',
  Adresse1: 'delivery_address1',
  Adresse2: 'delivery_address2',
  CodePostal: 'delivery_postcode',
  Ville: 'delivery_city',
  Pays: 'delivery_country',
  Telephone: 'delivery_phone',
} as const;
const LINE = {
  Gencod: 'product_ean13',
  Modele: 'product_reference',
  Designation: 'product_name',
  Taille: 'combinations_value',
  Quantite: 'product_quantity',
  PrixUnitaire: 'unit_product_price_tax_incl',
} as const;
const AMOUNTS: ReadonlySet<string> = new Set(['Total', 'Port', 'Remise', 'PrixUnitaire']);

/**
 * The sales file with the content of sales-template.xml as Python's ElementTree prints it: apostrophes in the declaration,
 * attributes in another order, tabs, `<Societe />`, CRLF. Only its meaning is that of passerelle's file.
 * @param createdAt `2026-11-24 10:57:04`
 */
export function oldSalesXml(orders: readonly OldOrder[], createdAt: string, encoding: string): string {
  const units = orders
    .flatMap((order) => order.rows)
    .reduce((sum, row) => sum + Number(row.product_quantity), 0);
  const attributes = `NbVentes="${orders.length}" NbArticles="${units}" Creation="${createdAt}" Magasin="008"`;
  return [
    `<?xml version='1.0' encoding='${encoding}'?>`,
    ...element('Ventes', orders.flatMap(saleLines), ` ${attributes}`),
  ]
    .map((line) => `${line}\r\n`)
    .join('');
}

function saleLines({ id, head, rows }: OldOrder): readonly string[] {
  const [year = '', month = '', day = ''] = (head.date_add ?? '').slice(0, 10).split('-');
  return element(
    'Vente',
    [
      leaf('Reference', head.reference),
      leaf('DateVente', `${day}/${month}/${year}`),
      leaf('Vendeur', 'INTERNET'),
      ...element('Reglement', leaves(PAYMENT, head)),
      ...element('Client', leaves(CUSTOMER, head)),
      ...element(
        'Lignes',
        rows.flatMap((row) => element('Ligne', leaves(LINE, row))),
      ),
    ],
    ` Numero="${id}"`,
  );
}

function element(name: string, content: readonly string[], attributes = ''): readonly string[] {
  return [`<${name}${attributes}>`, ...content.map((line) => `\t${line}`), `</${name}>`];
}

function leaves(columns: Readonly<Record<string, string>>, row: OldOrder['head']): readonly string[] {
  return Object.entries(columns).map(([name, title]) => leaf(name, row[title]));
}

function leaf(name: string, value = ''): string {
  if (value === '') return `<${name} />`;
  const text = AMOUNTS.has(name) ? value.replace('.', ',') : value;
  return `<${name}>${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')}</${name}>`;
}
