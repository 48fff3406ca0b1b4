import { TemplateError } from '../domain/template-error.ts';
import { readTemplateXml, type TemplateElement } from '../domain/template-xml.ts';
import { decodeText, encodingFault, ENCODINGS, type Encoding } from '../domain/text-file.ts';

/** A sales file as it was sent. */
export interface SentSales {
  readonly root: TemplateElement;
  readonly encoding: Encoding;
}

/** Other names that a declaration may give to the encodings. */
const ALIASES: ReadonlyMap<string, Encoding> = new Map([
  ['utf8', 'utf-8'],
  ['us-ascii', 'utf-8'],
  ['ascii', 'utf-8'],
  ['cp1252', 'windows-1252'],
  ['latin1', 'iso-8859-1'],
  ['latin-1', 'iso-8859-1'],
  ['latin-9', 'iso-8859-15'],
]);
const DECLARED = /^(?:ï»¿)?<\?xml\s[^>]*?encoding\s*=\s*["']([^"'>]*)/;

/**
 * Reads a sales file strictly, in the encoding that it declares. Comments and processing instructions are left out.
 * @throws {TemplateError} when it is not well-formed, has a DOCTYPE or text beside elements, or is not in its encoding
 */
export function readSentSales(bytes: Uint8Array, file: string): SentSales {
  // A declaration is ASCII, in every encoding that can be declared here.
  const start = decodeText(bytes.subarray(0, 1_000), 'iso-8859-1');
  const declared = DECLARED.exec(start)?.[1]?.toLowerCase() ?? 'utf-8';
  const encoding = ALIASES.get(declared) ?? ENCODINGS.find((known) => known === declared);
  if (encoding === undefined)
    throw new TemplateError(file, 1, `an encoding among ${ENCODINGS.join(', ')}`, `\`${declared}\``);
  const fault = encodingFault(bytes, encoding);
  if (fault) throw new TemplateError(file, fault.line, fault.expected, fault.got);
  // Any reader of XML takes each line end for a line feed.
  const text = decodeText(bytes, encoding).replaceAll(/\r\n?/g, '\n');
  return { root: readTemplateXml(text, file, 'sent').root, encoding };
}
