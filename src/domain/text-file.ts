/** Encodings in which every ASCII character is one byte, so that a file can be changed in place. */
export const ENCODINGS = ['utf-8', 'windows-1252', 'iso-8859-1', 'iso-8859-15'] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** How a delimited file is written. */
export interface CsvFormat {
  readonly encoding: Encoding;
  readonly delimiter: string;
  readonly quote: string;
  readonly decimalMark: '.' | ',';
}

/** Error thrown when a file as a whole is not what the configuration says. Names the setting to change. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
  readonly file: string;
  readonly line: number;
  /** Path in passerelle.yaml: `orders.file.delimiter`. */
  readonly setting: string;

  constructor(fault: { file: string; line: number; setting: string; expected: string; got: string }) {
    super(
      `Expected ${fault.expected}, got ${fault.got} (${fault.file}, line ${fault.line}; setting ${fault.setting})`,
    );
    this.file = fault.file;
    this.line = fault.line;
    this.setting = fault.setting;
  }
}
