import { describe, expect, test } from 'vitest';
import { demoScenario, randomScenario, type Scenario } from '../../sandbox/scenario.ts';
import { readTemplate } from '../../src/domain/sales-xml.ts';
import { encodeText } from '../../src/domain/text-file.ts';
import { checkSales, readSentOrders } from '../../src/format/check-sales.ts';
import { draftTemplate, type Draft } from '../../src/format/draft-template.ts';
import { readSentSales } from '../../src/format/read-sales-xml.ts';
import { ORDERS_FORMAT, ordersCsv } from '../domain/samples.ts';
import { ordersFileOf, sentFor, SHOP_ORDERS, SHOP_TEMPLATE, SHOP_VOUCHER } from '../support/shop-files.ts';

/** Attributes, dates as ISO 8601 has them, one name of two fields, cents. */
const ATTRIBUTES = `<?xml version="1.0" encoding="windows-1252"?>
<export date="{{ file.createdAt | date: '%Y%m%d%H%M%S' }}" nombre="{{ file.orders }}">
  <commande passerelle:repeat="order" num="{{ order.id }}" ref="{{ order.reference }}"
    date="{{ order.date | date: '%Y-%m-%dT%H:%M:%S' }}" client="{{ customer.firstname }} {{ customer.lastname | upcase }}"
    mail="{{ customer.email }}" ttc="{{ order.total | round: 2 | decimal_mark: ',' }}">
    <article passerelle:repeat="line" ean="{{ line.ean }}" qte="{{ line.quantity }}" pu="{{ line.unitPrice | times: 100 | round: 0 }}"/>
  </commande>
</export>`;
/** Namespaces, lines beside the order's own elements, short dates, amounts that are worked out, texts with something around. */
const FLAT = `<?xml version="1.0" encoding="UTF-8"?>
<p:Tickets xmlns:p="urn:caisse" Magasin="008">
  <p:Ticket passerelle:repeat="order">
    <p:Cle>WEB-{{ order.reference }}</p:Cle>
    <p:Numero>{{ order.id }}</p:Numero>
    <p:Jour>{{ order.date | date: "%d%m%y" }}</p:Jour>
    <p:Heure>{{ order.date | date: "%H:%M" }}</p:Heure>
    <p:Livraison>{{ delivery.postcode }} {{ delivery.city | upcase }}</p:Livraison>
    <p:Destinataire>{{ delivery.lastname }}, {{ delivery.firstname }}</p:Destinataire>
    <p:Port devise="EUR">{{ order.shipping }}</p:Port>
    <p:Ligne passerelle:repeat="line" qte="{{ line.quantity }}" montant="{{ line.unitPrice | times: line.quantity | round: 2 }}">{{ line.ean }}</p:Ligne>
    <p:Total>{{ order.total }} EUR</p:Total>
  </p:Ticket>
</p:Tickets>`;

const TEMPLATES = { "the sandbox's template": SHOP_TEMPLATE, attributes: ATTRIBUTES, 'flat lines': FLAT };
const SCENARIOS: Readonly<Record<string, Scenario>> = {
  demo: demoScenario,
  'forty orders': randomScenario(7, { orders: 40, lateOrders: 0 }),
  'three orders': randomScenario(11, { orders: 3, lateOrders: 0 }),
};
const OTHERS = [1, 2, 3].map((seed) => ordersFileOf(randomScenario(seed, { orders: 25 })));

const draftOf = (csv: Uint8Array, xml: Uint8Array): Draft => {
  const { orders } = readSentOrders({ name: 'commandes', bytes: csv }, SHOP_ORDERS, SHOP_VOUCHER);
  return draftTemplate(readSentSales(xml, 'ventes.xml'), orders, SHOP_ORDERS.columns);
};
const compiled = ({ template, encoding }: Draft) =>
  readTemplate(encodeText(template, encoding), 'draft.xml', SHOP_ORDERS.columns);
const check = (draft: Draft, csv: Uint8Array, xml: Uint8Array) =>
  checkSales(
    { orders: { name: 'commandes', bytes: csv }, xml: { name: 'ventes.xml', bytes: xml } },
    compiled(draft),
    SHOP_ORDERS,
    SHOP_VOUCHER,
    '2026-12-02 20:14:09',
  );
const withoutPositions = (path: string) => path.replaceAll(/\[\d+\]/g, '');

describe.each(Object.entries(TEMPLATES))('A draft of files that were made with %s', (_, template) => {
  describe.each(Object.entries(SCENARIOS))('from the orders of %s', (name, scenario) => {
    const csv = ordersFileOf(scenario);
    const xml = sentFor(csv, template);
    const draft = draftOf(csv, xml);

    test('makes the same file again', () => {
      expect(check(draft, csv, xml).differences).toEqual([]);
      expect([draft.absent, draft.unknown]).toEqual([[], 0]);
    });

    test('makes the files of other orders, but for what it was not sure of', () => {
      // From enough orders, nothing is left to be unsure of.
      const unsure = new Set(name === 'forty orders' ? [] : draft.notes.map(({ path }) => path));
      for (const other of OTHERS) {
        const { differences } = check(draft, other, sentFor(other, template, '2026-11-25 08:01:02'));
        expect(
          differences.map(({ path }) => withoutPositions(path)).filter((path) => !unsure.has(path)),
        ).toEqual([]);
      }
    });
  });
});

describe('A draft', () => {
  const csv = ordersFileOf(demoScenario);
  const draft = draftOf(csv, sentFor(csv, SHOP_TEMPLATE));
  const noteOn = (path: string, { notes } = draft) => notes.find((note) => note.path === path);

  test('takes the field whose name is like that of the element, and tells the others', () => {
    expect(noteOn('/Ventes/Vente/Client/Nom')).toMatchObject({
      doubt: 'several',
      chosen: '{{ customer.lastname }}',
      others: expect.arrayContaining(['delivery.lastname']) as string[],
    });
    expect(noteOn('/Ventes/Vente/Reglement/Remise')).toMatchObject({
      doubt: 'several',
      chosen: '{{ order.discounts | decimal_mark: "," }}',
    });
  });

  test('leaves as it is what no field explains, and tells it', () => {
    expect(noteOn('/Ventes/Vente/Vendeur')).toEqual({
      doubt: 'kept',
      path: '/Ventes/Vente/Vendeur',
      chosen: 'INTERNET',
      others: [],
    });
    expect(noteOn('/Ventes/@Magasin')).toMatchObject({ doubt: 'kept', chosen: '008' });
  });

  test('takes a date that no order has for that of the file', () => {
    expect(noteOn('/Ventes/@Creation')).toMatchObject({
      doubt: 'date',
      chosen: '{{ file.createdAt | date: "%Y-%m-%d %H:%M:%S" }}',
    });
  });

  test('is sure of values that only one field explains', () => {
    for (const path of [
      '/Ventes/Vente/@Numero',
      '/Ventes/Vente/Reglement/Mode',
      '/Ventes/Vente/Lignes/Ligne/Gencod',
    ])
      expect([path, noteOn(path)]).toEqual([path, undefined]);
  });

  test('names no field without a column, which the template may not name', () => {
    const columns = { ...SHOP_ORDERS.columns, customer: {} };
    const { orders } = readSentOrders({ name: 'commandes', bytes: csv }, SHOP_ORDERS, SHOP_VOUCHER);
    const other = draftTemplate(readSentSales(sentFor(csv, SHOP_TEMPLATE), 'x'), orders, columns);
    expect(noteOn('/Ventes/Vente/Client/Nom', other)?.chosen).toBe('{{ delivery.lastname }}');
    expect(other.template).not.toContain('customer.');
  });

  test('takes an element that is empty everywhere by its name', () => {
    const one = ordersCsv({});
    const xml =
      '<V><O n="1042"><Adresse>12 rue Haute</Adresse><Complement/><Vide/><L>3600000000017</L></O></V>';
    const { orders } = readSentOrders({ name: 'x', bytes: one }, ORDERS_FORMAT, SHOP_VOUCHER);
    const { template, notes } = draftTemplate(
      readSentSales(Buffer.from(xml), 'x'),
      orders,
      ORDERS_FORMAT.columns,
    );
    expect(template).toContain('<Complement>{{ delivery.address2 }}</Complement>');
    expect(notes).toContainEqual({
      doubt: 'by name',
      path: '/V/O/Complement',
      chosen: '{{ delivery.address2 }}',
      others: [],
    });
    expect(notes).toContainEqual({ doubt: 'kept', path: '/V/O/Vide', chosen: '', others: [] });
  });

  test('tells what only some orders have, and what the script does otherwise', () => {
    const xml = sentFor(csv, SHOP_TEMPLATE)
      .toString()
      .replace('<Courriel>', '<Note>urgent</Note><Courriel>')
      .replace(/<Ville>(.*?)<\/Ville>/, '<Ville>ailleurs</Ville>')
      .replace('</Lignes>', '<Ligne><Gencod>PORT</Gencod></Ligne></Lignes>');
    const other = draftOf(csv, Buffer.from(xml));
    expect(noteOn('/Ventes/Vente/Client/Note', other)).toBeDefined();
    expect(noteOn('/Ventes/Vente/Client/Ville', other)).toMatchObject({
      doubt: 'partly',
      chosen: '{{ delivery.city }}',
    });
    expect(noteOn('/Ventes/Vente/Lignes/Ligne', other)).toMatchObject({ doubt: 'not a line' });
    const unsure = other.notes.map(({ path }) => path);
    const { differences } = check(other, csv, Buffer.from(xml));
    expect(differences.length).toBeGreaterThan(0);
    for (const { path } of differences) expect(unsure).toContain(withoutPositions(path));
  });

  test('puts what only some orders have where they have it', () => {
    const xml = sentFor(csv, SHOP_TEMPLATE).toString();
    const at = xml.lastIndexOf('<Nom>');
    const some = `${xml.slice(0, at)}<Titre>Dr</Titre>${xml.slice(at).replace('<Courriel>', '<A>a</A><B>b</B>$&')}`;
    // The element with the most in it is another's.
    const { template } = draftOf(csv, Buffer.from(some.replace('</Client>', '<C/><D/><E/></Client>')));
    expect(template).toMatch(
      /<Titre>Dr<\/Titre>\s*<Nom>.*\s*<Prenom>.*\s*<A>a<\/A>\s*<B>b<\/B>\s*<Courriel>/,
    );
  });

  test('knows the line breaks of a file that the module sent in ASCII mode', () => {
    const ascii = Buffer.from(csv.toString().replaceAll('\n', '\r\n'));
    // What the old script read with CRLF and wrote as it was is a line feed to whoever reads the XML.
    const xml = Buffer.from(sentFor(ascii, SHOP_TEMPLATE).toString().replaceAll('&#13;', '\r'));
    const other = draftOf(ascii, xml);
    expect(other.template).toContain(
      String.raw`<Adresse1>{{ delivery.address1 | replace: "\r\n", "\n" }}</Adresse1>`,
    );
    expect(check(other, ascii, xml).differences).toEqual([]);
  });

  test('keeps what looks like a placeholder, and characters that the encoding lacks', () => {
    const xml = `<?xml version="1.0" encoding="iso-8859-1"?>\n<V a="{{ x }} {% &quot;'&#10;"><O n="4101"><N>{&#8364;{ &amp;&lt;</N><L>${eanIn(csv)}</L></O></V>`;
    const other = draftOf(csv, Buffer.from(xml, 'latin1'));
    const bytes = encodeText(other.template, other.encoding);
    expect(bytes.toString('latin1')).toContain('&#8364;');
    expect(check(other, csv, Buffer.from(xml, 'latin1')).differences.map(({ path }) => path)).not.toContain(
      '/V/@a',
    );
    expect(other.absent).toHaveLength(5);
  });

  test('is refused where no element stands for an order, or for a line', () => {
    expect(() => draftOf(csv, Buffer.from('<V><O><N>9</N></O></V>'))).toThrow(
      'values of one order each, got none',
    );
    // A row a line, without an element for the order around it: no template writes this.
    const rows = `<V><R n="4101" e="${eanIn(csv)}"/></V>`;
    expect(() => draftOf(csv, Buffer.from(rows))).toThrow('values of one line each, got none');
  });
});

/** The gencod of the first line of the first order. */
function eanIn(csv: Buffer): string {
  return /\b3\d{12}\b/.exec(csv.toString())?.[0] ?? '';
}
