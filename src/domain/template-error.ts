/** Error thrown when the sales template cannot be used. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
  readonly file: string;
  readonly line: number;

  constructor(file: string, line: number, expected: string, got: string) {
    super(`Expected ${expected}, got ${got} (${file}, line ${line})`);
    this.file = file;
    this.line = line;
  }
}
