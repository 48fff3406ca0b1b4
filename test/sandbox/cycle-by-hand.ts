import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import iconv from 'iconv-lite';
import { download, upload, withFtp } from '../../sandbox/ftp-access.ts';
import { startSandbox, type Sandbox } from '../../sandbox/sandbox.ts';
import { demoScenario } from '../../sandbox/scenario.ts';
import type { Truth, TruthOrder } from '../../sandbox/truth.ts';
import { eventually } from './small-shop.ts';

type Row = Readonly<Record<string, string>>;

/** For what is doctored on purpose: everything may be written to. */
export type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T;

/** What is true after one cycle of the demo that was carried exactly. */
export async function truthOfExactCycle(): Promise<Truth> {
  const folder = await mkdtemp(join(tmpdir(), 'exact-cycle-'));
  // Proshop's import must come after the sales, six minutes after the start: a fifth of this, and not on a busy machine's
  // clock.
  const sandbox = await startSandbox({
    folder,
    halfHour: 20_000,
    skipsStalls: true,
    scenario: demoScenario,
  });
  try {
    await carryCycleByHand(sandbox);
    return sandbox.truth();
  } finally {
    await sandbox.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Carries one cycle as an exact person would, so that the sandbox and its judge are tried without the product. */
export async function carryCycleByHand(sandbox: Sandbox): Promise<void> {
  const orders = await takeOrders(sandbox);
  const transmissible = [...orders.values()].filter(
    (lines) =>
      lines.every((line) => line.product_ean13 !== '') && lines.every((line) => line.voucher_code === ''),
  );
  await withFtp(sandbox.ftp, async (client) => {
    await client.ensureDir('/passerelle');
    await upload(client, '/passerelle/new', Buffer.from(salesXml(transmissible)));
    await client.rename('/passerelle/new', '/import/ventes-1.xml');
  });
  await sandbox.clock.until(10);
  await eventually(() => typeof sandbox.truth().exports[1]?.finishedAt === 'string');
  const stock = await withFtp(sandbox.ftp, (client) => download(client, '/ExportCSV'));
  await fetch(sandbox.urls.importProducts);
  await imported(sandbox, 'importProducts');
  const late = await takeOrders(sandbox);

  // Sent orders are reflected; late, voucher and unreadable ones are outstanding.
  const outstanding = [...orders.values(), ...late.values()]
    .filter((lines) => !transmissible.includes(lines))
    .flat();
  const text = iconv.decode(stock, 'win1252');
  const [header = '', ...rows] = text.trimEnd().split('\r\n');
  const updated = rows.map((row) => {
    const fields = row.split(';');
    const units = outstanding
      .filter(
        (line) => (line.product_ean13 || fields[5]) === fields[5] && line.product_reference === fields[3],
      )
      .reduce((sum, line) => sum + Number(line.product_quantity), 0);
    fields[7] = String(Math.max(0, Number(fields[7]) - units));
    return fields.join(';');
  });
  const vouchers = sandbox.truth().vouchers.map((voucher) => {
    return `;;;${voucher.reference};;;0,00;${voucher.initial};008`;
  });
  const update = [header, ...updated, ...vouchers].map((row) => `${row}\r\n`).join('');
  await withFtp(sandbox.ftp, (client) => upload(client, '/ExportCSVmod', iconv.encode(update, 'win1252')));
  await fetch(sandbox.urls.updateStock);
  await imported(sandbox, 'updateStock');
}

async function imported(sandbox: Sandbox, job: string): Promise<void> {
  await eventually(() => sandbox.truth().imports.some((run) => run.job === job && run.outcome === 'done'));
}

async function takeOrders(sandbox: Sandbox): Promise<Map<string, Row[]>> {
  await fetch(sandbox.urls.exportOrders);
  const bytes = await withFtp(sandbox.ftp, async (client) => {
    const taken = await download(client, '/export/commandes');
    await client.remove('/export/commandes');
    return taken;
  });
  const rows = parse(bytes, { bom: true, delimiter: ';', columns: true }) as Row[];
  const orders = new Map<string, Row[]>();
  for (const row of rows) orders.set(row.id_order ?? '', [...(orders.get(row.id_order ?? '') ?? []), row]);
  return orders;
}

/** An order as the rows of an orders file, from which its sale is written. */
export function saleRows(order: TruthOrder): readonly Row[] {
  const euros = (cents: number) => (cents / 100).toFixed(2);
  return order.lines.map((line) => ({
    id_order: String(order.id),
    reference: order.reference,
    payment: order.payment,
    total_paid_tax_incl: euros(order.total),
    customer_lastname: order.customer.lastname,
    customer_firstname: order.customer.firstname,
    delivery_address1: order.address,
    product_ean13: line.ean,
    product_quantity: String(line.quantity),
    unit_product_price_tax_incl: euros(line.unitPrice),
  }));
}

/** The sales file of sandbox/sales-template.xml, built without it. */
export function salesXml(orders: readonly (readonly Row[])[]): string {
  const tag = (name: string, value: string | undefined) => `<${name}>${escaped(value ?? '')}</${name}>`;
  const sales = orders.map((lines) => {
    const [order = {}] = lines;
    const articles = lines.map(
      (line) =>
        `<Ligne>${tag('Gencod', line.product_ean13)}${tag('Quantite', line.product_quantity)}${tag('PrixUnitaire', line.unit_product_price_tax_incl?.replace('.', ','))}</Ligne>`,
    );
    return `<Vente Numero="${order.id_order}">${tag('Reference', order.reference)}<DateVente>24/11/2026</DateVente>
<Reglement>${tag('Mode', order.payment)}${tag('Total', order.total_paid_tax_incl?.replace('.', ','))}</Reglement>
<Client>${tag('Nom', order.customer_lastname)}${tag('Prenom', order.customer_firstname)}${tag('Societe', order.delivery_company)}
${tag('Adresse1', order.delivery_address1)}${tag('Adresse2', order.delivery_address2)}${tag('CodePostal', order.delivery_postcode)}
${tag('Ville', order.delivery_city)}${tag('Pays', order.delivery_country)}${tag('Telephone', order.delivery_phone)}</Client>
<Lignes>${articles.join('')}</Lignes></Vente>`;
  });
  const units = orders.flat().reduce((sum, line) => sum + Number(line.product_quantity), 0);
  return `<?xml version="1.0" encoding="UTF-8"?>
<Ventes Magasin="008" NbVentes="${orders.length}" NbArticles="${units}">${sales.join('\n')}</Ventes>`;
}

function escaped(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
