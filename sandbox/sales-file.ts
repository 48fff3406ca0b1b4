import iconv from 'iconv-lite';
import type { Sale } from './truth.ts';
import type { XmlElement } from './xml.ts';
import { parseXml } from './xml.ts';

/** Error thrown when Proshop cannot read a sales file. */
export class SalesFileError extends Error {
  override readonly name = 'SalesFileError';
}

/**
 * Reads a sales file as Proshop does, whole or not at all: the shape of sales-template.xml, gencods of articles that it
 * knows, whole quantities, decimal commas, totals that agree with the content.
 * @throws {SalesFileError | XmlError} with what was expected
 */
export function readSales(bytes: Buffer, knows: (ean: string) => boolean): readonly Sale[] {
  const declared = /^(?:\uFEFF)?<\?xml[^>]*encoding=["']([\w-]+)["']/.exec(
    bytes.toString('latin1', 0, 200),
  )?.[1];
  const encoding = declared ?? 'utf-8';
  if (!iconv.encodingExists(encoding))
    throw new SalesFileError(`Expected a known encoding, got ${String(encoding)}`);
  const text = iconv.decode(bytes, encoding);
  if (text.includes('\uFFFD')) throw new SalesFileError(`Expected ${encoding}, got bytes that are not`);
  const root = parseXml(text);
  if (root.name !== 'Ventes') throw new SalesFileError(`Expected Ventes, got ${root.name}`);
  matching(root.attributes.Magasin, /^008$/, 'Magasin');
  const sales = elements(root, 'Vente').map((element) => readSale(element, knows));
  const units = sales.flatMap((sale) => sale.lines).reduce((sum, line) => sum + line.quantity, 0);
  agreeing(root.attributes.NbVentes, sales.length, 'NbVentes');
  agreeing(root.attributes.NbArticles, units, 'NbArticles');
  if (new Set(sales.map((sale) => sale.order)).size !== sales.length) {
    throw new SalesFileError('Expected each Vente once, got two with one Numero');
  }
  return sales;
}

function readSale(element: XmlElement, knows: (ean: string) => boolean): Sale {
  const payment = child(element, 'Reglement');
  const customer = child(element, 'Client');
  matching(textOf(element, 'DateVente'), /^\d{2}\/\d{2}\/\d{4}$/, 'DateVente');
  const lines = elements(child(element, 'Lignes'), 'Ligne').map((line) => {
    const ean = matching(textOf(line, 'Gencod'), /^\d{13}$/, 'Gencod');
    if (!knows(ean)) throw new SalesFileError(`Expected a Gencod of an article, got ${ean}`);
    return {
      ean,
      quantity: Number(matching(textOf(line, 'Quantite'), /^[1-9]\d*$/, 'Quantite')),
      unitPrice: cents(textOf(line, 'PrixUnitaire'), 'PrixUnitaire'),
    };
  });
  if (lines.length === 0) throw new SalesFileError('Expected a Ligne, got none');
  return {
    order: Number(matching(element.attributes.Numero, /^[1-9]\d*$/, 'Numero')),
    reference: textOf(element, 'Reference'),
    payment: textOf(payment, 'Mode'),
    total: cents(textOf(payment, 'Total'), 'Total'),
    firstname: textOf(customer, 'Prenom'),
    lastname: textOf(customer, 'Nom'),
    address: oneLine(
      ['Societe', 'Adresse1', 'Adresse2', 'CodePostal', 'Ville', 'Pays', 'Telephone'].map((part) =>
        textOf(customer, part),
      ),
    ),
    lines,
  };
}

/** The parts of an address as one line of text, so that line breaks and blanks do not count. */
export function oneLine(parts: readonly string[]): string {
  return parts
    .map((part) => part.replaceAll(/\s+/g, ' ').trim())
    .filter((part) => part !== '')
    .join(', ');
}

function elements(parent: XmlElement, name: string): readonly XmlElement[] {
  for (const element of parent.children) {
    if (element.name !== name)
      throw new SalesFileError(`Expected ${name} in ${parent.name}, got ${element.name}`);
  }
  return parent.children;
}

function child(parent: XmlElement, name: string): XmlElement {
  const [found, second] = parent.children.filter((element) => element.name === name);
  if (found === undefined || second !== undefined) {
    throw new SalesFileError(
      `Expected one ${name} in ${parent.name}, got ${found === undefined ? 'none' : 'more'}`,
    );
  }
  return found;
}

function textOf(parent: XmlElement, name: string): string {
  return child(parent, name).text.trim();
}

function matching(value: string | undefined, pattern: RegExp, name: string): string {
  if (value === undefined || !pattern.test(value)) {
    throw new SalesFileError(`Expected ${name} like ${pattern.source}, got ${value ?? 'nothing'}`);
  }
  return value;
}

function agreeing(value: string | undefined, count: number, name: string): void {
  if (value !== String(count))
    throw new SalesFileError(`Expected ${name} ${count}, got ${value ?? 'nothing'}`);
}

function cents(value: string, name: string): number {
  const [, euros = '', rest = ''] = /^(\d+)(?:,(\d{2})0*)?$/.exec(value) ?? [];
  if (euros === '') throw new SalesFileError(`Expected ${name} with a decimal comma, got ${value}`);
  return Number(euros) * 100 + Number(rest.padEnd(2, '0'));
}
