/** The cycle that the activities' tests belong to. */
export const CYCLE = { id: '3f2a91c0-0000-4000-8000-000000000000', folder: '2026-11-24/10h25-3f2a91c0' };

const ORDERS_HEADER =
  'id_order;reference;payment;current_state;status_order;date_add;payment_method;payment_transaction_id;voucher_name;voucher_code;voucher_tax_incl;total_paid_tax_incl;total_paid_tax_excl;total_shipping_tax_incl;total_discounts_tax_incl;customer_firstname;customer_lastname;customer_email;delivery_company;delivery_firstname;delivery_lastname;delivery_address1;delivery_address2;delivery_postcode;delivery_city;delivery_country;delivery_phone;product_ean13;product_reference;product_quantity;product_name;unit_product_price_tax_incl;combinations_value';

/** One row of the module's file, as passerelle.example.yaml maps it. */
export function orderRow(
  id: number,
  {
    ean = '3000000000017',
    quantity = '1',
    payment = 'Carte bancaire',
    code = '',
    date = '2026-11-24 10:20:00',
  } = {},
): string {
  return `${id};REF${id};${payment};2;Paiement accepté;${date};ps_checkout;;;${code};0;89.90;74.92;0;0;Zoé;"Le ""Fèvre""; dite";z@example.org;;Zoé;Lefèvre;"1 rue du Bac\nEscalier B";;75007;Paris;France;;${ean};MOD1;${quantity};Derby;89.90;42`;
}

/** The module's file: a byte order mark, and a line feed after each row. */
export function ordersCsv(...rows: readonly string[]): string {
  return `\uFEFF${[ORDERS_HEADER, ...rows].join('\n')}\n`;
}

/** Proshop's file, with a row a variant. */
export function stockCsv(
  ...variants: readonly (readonly [ean: string, quantity: number, reference?: string])[]
): string {
  const rows = variants.map(
    ([ean, quantity, reference = 'MOD1']) => `Martin;Cuir;Noir;${reference};42;${ean};89,90;${quantity};008`,
  );
  return `${['Fournisseur;Matiere;Couleur;Modele;Taille;Gencod;Prix;Stock;Magasin', ...rows].join('\r\n')}\r\n`;
}
