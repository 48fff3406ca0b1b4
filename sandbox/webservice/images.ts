import { rowsOf } from './database.ts';
import { insertRow } from './database.ts';
import type { Site } from './site.ts';
import { NoSuchRow, WebserviceError } from './webservice-error.ts';
import { xmlDocument } from './xml-answer.ts';
import type { XmlFrame } from './xml-answer.ts';

/**
 * Lists the images of a product, or takes a new one from a multipart body. Nothing looks at what it shows.
 * @throws {NoSuchRow} when the product has none
 * @throws {WebserviceError} for what is no picture, and for pictures of anything but products
 */
export function answerImages(
  site: Site,
  method: string,
  segments: readonly string[],
  body: Buffer,
  frame: XmlFrame,
): string {
  const [kind, said = ''] = segments;
  const product = Number.parseInt(said, 10);
  if (kind !== 'products' || !site.database.products.rows.has(product))
    throw new NoSuchRow(`images of ${kind} ${said}`);
  const images = rowsOf(site.database, 'images', (image) => image.id_product === product);
  if (method === 'GET' || method === 'HEAD') {
    if (images.length === 0) throw new NoSuchRow(`images of product ${product}`);
    const each = images.map(
      ({ id }) => `<declination id="${id}" xlink:href="${frame.api}images/products/${product}/${id}"/>\n`,
    );
    return xmlDocument(`<image id="${product}">\n${each.join('')}</image>\n`);
  }
  const content = uploaded(body);
  if (method !== 'POST' || content === undefined)
    throw new WebserviceError(400, 76, 'Please set an "image" parameter with image data for value');
  const image = insertRow(site.database, 'images', {
    id_product: product,
    position: images.length + 1,
    cover: images.length === 0,
  });
  const texts = frame.languages.map(
    (language) =>
      `<language id="${language}" xlink:href="${frame.api}languages/${language}"><![CDATA[]]></language>`,
  );
  const fields = [
    `<id><![CDATA[${image.id}]]></id>`,
    `<id_product><![CDATA[${product}]]></id_product>`,
    `<position><![CDATA[${image.position}]]></position>`,
    `<cover><![CDATA[${image.cover ? 1 : ''}]]></cover>`,
    `<legend>${texts.join('')}</legend>`,
  ];
  return xmlDocument(
    `<image>\n${fields.join('\n')}\n</image>\n<content encode="base64"><![CDATA[${content.toString('base64')}]]></content>\n`,
  );
}

/** The bytes of the part `image` of a multipart body. */
function uploaded(body: Buffer): Buffer | undefined {
  const head = /name="image"[^]*?\r\n\r\n/.exec(body.toString('latin1'));
  if (head === null) return undefined;
  const start = head.index + head[0].length;
  const boundary = body.subarray(0, body.indexOf('\r\n'));
  const end = body.indexOf(Buffer.concat([Buffer.from('\r\n'), boundary]), start);
  return end === -1 ? undefined : body.subarray(start, end);
}
