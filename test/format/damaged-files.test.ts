import * as fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { demoScenario } from '../../sandbox/scenario.ts';
import { readTemplate } from '../../src/domain/sales-xml.ts';
import { TemplateError } from '../../src/domain/template-error.ts';
import { encodeText } from '../../src/domain/text-file.ts';
import { readSentOrders } from '../../src/format/check-sales.ts';
import { compareXml } from '../../src/format/compare-xml.ts';
import { DraftError, draftTemplate } from '../../src/format/draft-template.ts';
import { explainOrders } from '../../src/format/explain-orders.ts';
import { explainStock } from '../../src/format/explain-stock.ts';
import { readSentSales } from '../../src/format/read-sales-xml.ts';
import { stockCsv } from '../domain/samples.ts';
import { damage, damaged, expectNoPollution, outcome, PATIENCE } from '../fuzz/damage.ts';
import {
  ordersFileOf,
  sentFor,
  SHOP_ORDERS,
  SHOP_STOCK,
  SHOP_TEMPLATE,
  SHOP_VOUCHER,
} from '../support/shop-files.ts';

const RUNS = { numRuns: 500 } as const;
const damages = fc.array(damage, { minLength: 1, maxLength: 6 });
const csv = ordersFileOf(demoScenario);
const xml = sentFor(csv, SHOP_TEMPLATE);
const stock = stockCsv(['MOD17', '38', '3600000000017', '2'], ['MOD17', '39', '3600000000024', '1']);
const { orders } = readSentOrders({ name: 'commandes', bytes: csv }, SHOP_ORDERS, SHOP_VOUCHER);

afterAll(expectNoPollution);

test(
  'whatever is damaged in an orders file, it is explained, and what is proposed is a section',
  () => {
    fc.assert(
      fc.property(damages, fc.boolean(), (all, isConfigured) => {
        const explained = explainOrders(damaged(csv, all), 'commandes', isConfigured ? SHOP_ORDERS : null);
        const section = explained.proposal?.section;
        const sections = section === undefined ? ['orders'] : Object.keys(parse(section) as object);
        expect(sections).toEqual(['orders']);
        expect(explained.readWith === null).toBe(explained.content === null);
      }),
      RUNS,
    );
  },
  PATIENCE,
);

test(
  'whatever is damaged in a stock file, it is explained, and what is proposed is a section',
  () => {
    fc.assert(
      fc.property(damages, fc.boolean(), (all, isConfigured) => {
        const explained = explainStock(damaged(stock, all), 'ExportCSV', isConfigured ? SHOP_STOCK : null);
        const section = explained.proposal?.section;
        const sections = section === undefined ? ['stock'] : Object.keys(parse(section) as object);
        expect(sections).toEqual(['stock']);
        expect(explained.readWith === null).toBe(explained.content === null);
      }),
      RUNS,
    );
  },
  PATIENCE,
);

test(
  'a damaged sales file is refused with its line, or compared and drafted from',
  () => {
    const whole = readSentSales(xml, 'whole.xml').root;
    const isRefusal = (error: unknown) => error instanceof TemplateError || error instanceof DraftError;
    fc.assert(
      fc.property(damages, (all) => {
        const { error } = outcome(() => {
          const sent = readSentSales(damaged(xml, all), 'ventes.xml');
          compareXml(whole, sent.root);
          if (compareXml(sent.root, sent.root).length > 0)
            throw new Error('Expected no difference, got some');
          const { template, encoding } = draftTemplate(sent, orders, SHOP_ORDERS.columns);
          // A draft is always a template.
          const drafted = outcome(() =>
            readTemplate(encodeText(template, encoding), 'draft.xml', SHOP_ORDERS.columns),
          );
          if (drafted.error !== undefined) throw new Error('Expected a template', { cause: drafted.error });
        });
        expect(error === undefined || isRefusal(error) ? undefined : error).toBeUndefined();
      }),
      RUNS,
    );
  },
  PATIENCE,
);
