/**
 * Tells whether a text can stand for a variant's barcode (gencod).
 *
 * Neither 13 digits nor a right check digit is asked for: shops print their own codes for what comes without
 * one, and Proshop takes GTIN-8 to GTIN-14 alike.
 */
export function isGencod(text: string): boolean {
  return /^\d{8,14}$/.test(text);
}
