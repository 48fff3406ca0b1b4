import { describe, expect, test } from 'vitest';
import { demoScenario } from '../../sandbox/scenario.ts';
import { readTemplate } from '../../src/domain/sales-xml.ts';
import { checkSales } from '../../src/format/check-sales.ts';
import { ordersFileOf, sentFor, SHOP_ORDERS, SHOP_TEMPLATE, SHOP_VOUCHER } from '../support/shop-files.ts';

const csv = ordersFileOf(demoScenario);
const NOW = '2026-12-02 20:14:09';
const check = (xml: string, template = SHOP_TEMPLATE, orders: Uint8Array = csv, now = NOW) =>
  checkSales(
    { orders: { name: 'commandes', bytes: orders }, xml: { name: 'ventes.xml', bytes: Buffer.from(xml) } },
    readTemplate(template, 'template.xml'),
    SHOP_ORDERS,
    SHOP_VOUCHER,
    now,
  );
const sent = sentFor(csv, SHOP_TEMPLATE).toString();

describe('The check of a template', () => {
  test('finds nothing where the old script did the same, and tells what is not sent', () => {
    const { differences, orders, byHand, rejects } = check(sent);
    expect({ differences, orders, byHand }).toEqual({ differences: [], orders: 6, byHand: [4105] });
    expect(rejects).toHaveLength(1);
  });

  test('tells the date of the rendering apart', () => {
    const { dates } = check(sent);
    expect(dates).toEqual([
      { kind: 'attribute', path: '/Ventes/@Creation', expected: '2026-11-24 10:57:03', got: NOW },
    ]);
    expect(check(sent, SHOP_TEMPLATE, csv, '2026-11-24 10:57:03').dates).toEqual([]);
  });

  test.each([
    ['another format', '24/11/2026 10:57', '{{ file.createdAt }}', 1],
    ['the same format', '24/11/26 - 10h57', "{{ file.createdAt | date: '%d/%m/%y - %Hh%M' }}", 0],
    ['no date at all', 'hier', '{{ file.createdAt }}', 1],
    ['something beside it', 'du 2026', "le {{ file.createdAt | date: '%Y' }}", 1],
    ['day and month the other way round', '24/11/2026', "{{ file.createdAt | date: '%m/%d/%Y' }}", 1],
    ['numbers that no date has', '2099-99-99 99:99:99', '{{ file.createdAt }}', 1],
    [
      'another number beside it',
      '1699-24/11/2026',
      "{{ file.orders | plus: 1120 }}-{{ file.createdAt | date: '%d/%m/%Y' }}",
      1,
    ],
    [
      'the same number beside it',
      '1126-24/11/2026',
      "{{ file.orders | plus: 1120 }}-{{ file.createdAt | date: '%d/%m/%Y' }}",
      0,
    ],
  ])('counts the date as a difference with %s', (_, was, placeholder, differences) => {
    const old = sent.replace('2026-11-24 10:57:03', was);
    const template = SHOP_TEMPLATE.replace('{{ file.createdAt }}', placeholder);
    expect(check(old, template, csv, '2026-11-26 23:15:50').differences).toHaveLength(differences);
  });

  test('knows the date on the days on which its parts are the same number', () => {
    expect(check(sent, SHOP_TEMPLATE, csv, '2011-11-11 11:11:11')).toMatchObject({
      differences: [],
      dates: [{ path: '/Ventes/@Creation' }],
    });
  });

  test('says that the orders file is cut', () => {
    expect(check(sent).cut).toBe(false);
    expect(check(sent, SHOP_TEMPLATE, csv.subarray(0, -20)).cut).toBe(true);
    const none = '<Ventes/>';
    expect(check(none, SHOP_TEMPLATE, Buffer.from('id_order;reference')).cut).toBe(true);
  });

  test('says what the template does otherwise, and where', () => {
    const template = SHOP_TEMPLATE.replace('{{ customer.lastname }}', '{{ customer.lastname | upcase }}');
    expect(check(sent, template).differences[0]).toEqual({
      kind: 'text',
      path: '/Ventes/Vente[1]/Client/Nom',
      expected: 'Lefèvre-Nuñez',
      got: 'LEFÈVRE-NUÑEZ',
    });
  });

  test('says what the old script left out', () => {
    const without = sent.replace(/ *<Vente Numero="4102">[^]*?<\/Vente>\n/, '');
    expect(check(without).differences).toMatchObject([
      { kind: 'surplus', path: '/Ventes/Vente[2]', expected: null },
    ]);
  });

  test('refuses an orders file that does not fit its settings, and XML that is cut', () => {
    expect(() => check(sent, SHOP_TEMPLATE, Buffer.from('a;b\n1;2\n'))).toThrow('Expected a header row');
    expect(() => check(sent.slice(0, sent.length / 2))).toThrow(/Expected .*\(ventes\.xml, line \d+\)/);
  });
});
