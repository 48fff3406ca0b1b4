/** True when `value` is what `pattern` says: `*` stands for any characters, case does not count. Nothing fits an empty value. */
export function matches(pattern: string, value: string): boolean {
  const source = pattern
    .split('*')
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  return value !== '' && new RegExp(`^${source}$`, 'isu').test(value);
}
