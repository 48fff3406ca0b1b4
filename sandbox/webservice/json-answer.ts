import { isFalsy, isTexts } from './php-value.ts';
import type { PhpValue } from './php-value.ts';
import type { RenderedEntity } from './rendered.ts';
import type { Resource } from './resource.ts';
import type { Version } from './site.ts';

export interface JsonFrame {
  readonly version: Version;
  readonly languages: readonly number[];
}

export function jsonErrors(errors: readonly { readonly code: number; readonly message: string }[]): string {
  return encoded({ errors: errors.map(({ code, message }) => ({ code, message })) });
}

/** A list of rows with nothing but their ids. */
export function jsonIds(resource: Resource, ids: readonly (number | string)[]): string {
  return encoded(ids.length === 0 ? [] : { [resource.table]: ids.map((id) => ({ id })) });
}

/** A list of rows; an empty one is no object at all. */
export function jsonList(resource: Resource, entities: readonly RenderedEntity[], frame: JsonFrame): string {
  if (entities.length === 0) return encoded([]);
  return encoded({ [resource.table]: entities.map((entity) => plain(entity, frame)) });
}

/**
 * A row that was asked for or written. Since 8.0 without what PHP holds for nothing: `0` is not shown either. Of several
 * only the last one is shown.
 */
export function jsonEntities(
  resource: Resource,
  entities: readonly RenderedEntity[],
  frame: JsonFrame,
): string {
  const last = entities.at(-1);
  if (last === undefined) return encoded([]);
  const shown = Object.entries(plain(last, frame)).filter(
    ([, value]) => frame.version === '1.7.8' || !isFalsy(value as PhpValue),
  );
  return encoded({ [resource.node]: Object.fromEntries(shown) });
}

/** The schema `blank`, of little use: later versions drop every field of it. */
export function jsonSchema(resource: Resource, frame: JsonFrame): string {
  const empty = frame.version === '1.7.8' ? '' : null;
  const fields =
    empty === null
      ? []
      : ['id', ...Object.keys(resource.fields)]
          .filter((name) => resource.fields[name]?.readOnly !== true)
          .map((name) => [name, empty]);
  const associations = Object.entries(resource.associations ?? {}).map(([name, association]) => [
    name,
    [Object.fromEntries(Object.keys(association.fields).map((part) => [part, empty]))],
  ]);
  return encoded({
    [resource.node]: {
      ...Object.fromEntries(fields),
      ...(associations.length === 0 ? {} : { associations: Object.fromEntries(associations) }),
    },
  });
}

/** The names of all resources, which only 1.7.8 can show as JSON. */
export function jsonIndex(names: readonly string[]): string {
  return encoded(names);
}

function plain(entity: RenderedEntity, { version, languages }: JsonFrame): Record<string, unknown> {
  const fields = entity.fields.map(({ name, value }) => {
    if (!isTexts(value)) return [name, value];
    const each = languages.map((language) => ({
      id: version === '9.1' ? language : String(language),
      value: value[language] ?? '',
    }));
    return [name, each.length === 1 ? each[0]?.value : each];
  });
  const associations = (entity.associations ?? [])
    .filter(({ items }) => items.length > 0)
    .map(({ name, items }) => [
      name,
      items.map((item) => Object.fromEntries(item.fields.map((part) => [part.name, part.value]))),
    ]);
  return {
    ...Object.fromEntries(fields),
    ...(associations.length === 0 ? {} : { associations: Object.fromEntries(associations) }),
  };
}

/** JSON as PHP writes it: slashes are escaped. */
function encoded(value: unknown): string {
  return JSON.stringify(value).replaceAll('/', String.raw`\/`);
}
