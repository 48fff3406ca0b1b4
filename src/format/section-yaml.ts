import type { CsvFormat } from '../domain/text-file.ts';
import type { ProposedColumns } from './propose-columns.ts';

/** Fields of a section, some under the name of their group. */
export interface FieldGroup {
  /** Null for fields that stand in no group. */
  readonly group: string | null;
  readonly fields: readonly string[];
}

/** Words that YAML takes for something else than a text. */
const KEPT = /^(?:true|false|null|yes|no|on|off|y|n)$/i;

/**
 * Writes a section of passerelle.yaml: how the file is written, and the title of each field's column. A field without a
 * column stands in a comment, with the titles that may be its own.
 *
 * @param settings what else belongs to the section; null = not known
 */
export function sectionYaml(
  section: 'orders' | 'stock',
  file: CsvFormat,
  groups: readonly FieldGroup[],
  proposed: ProposedColumns,
  settings: Readonly<Record<string, string | null>> = {},
): string {
  const lines = [
    `${section}:`,
    '  file:',
    `    encoding: ${file.encoding}`,
    `    delimiter: ${file.delimiter === '\t' ? 'tab' : scalar(file.delimiter)}`,
    `    quote: ${scalar(file.quote)}`,
    `    decimalMark: ${scalar(file.decimalMark)}`,
    '  columns:',
    ...groups.flatMap((group) => groupLines(group, proposed)),
    ...Object.entries(settings).map(([name, value]) =>
      value === null ? `  # ${name}:` : `  ${name}: ${scalar(value)}`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function groupLines({ group, fields }: FieldGroup, { columns, hints }: ProposedColumns): readonly string[] {
  const nameOf = (field: string) => (group === null ? field : `${group}.${field}`);
  // A group of nothing but comments would be a setting without value.
  const isEmpty = !fields.some((field) => columns.has(nameOf(field)));
  const indent = group === null ? '    ' : '      ';
  const lines = fields.map((field) => {
    const title = columns.get(nameOf(field));
    if (title !== undefined) return `${indent}${field}: ${scalar(title)}`;
    const hint = hints.get(nameOf(field))?.map((one) => JSON.stringify(one)) ?? [];
    return `${indent}# ${[`${field}:`, ...(hint.length === 0 ? [] : [hint.join(' | ')])].join(' ')}`;
  });
  return group === null ? lines : [`    ${isEmpty ? '# ' : ''}${group}:`, ...lines];
}

function scalar(text: string): string {
  if (/^[A-Za-z_][\w-]*$/.test(text) && !KEPT.test(text)) return text;
  if (!/['\p{Cc}]/u.test(text)) return `'${text}'`;
  // JSON leaves some control characters as they are, which YAML does not take.
  return JSON.stringify(text).replace(/[\x7f-\x9f]/g, (one) => `\\u00${one.charCodeAt(0).toString(16)}`);
}
