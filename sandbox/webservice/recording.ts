/** One recorded exchange with a running PrestaShop. */
export interface Recording {
  readonly request: {
    readonly method: string;
    /** Path and query as they were written down: some blanks are not encoded. */
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    /** The key it was sent with; `None` for none; undefined for the usual one. */
    readonly key: string | undefined;
    readonly body: string;
  };
  readonly answer: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  };
}

/**
 * Reads a recording: lines with `>>>` and the body are the request, lines with `<<<` and what follows the blank line are the
 * answer.
 */
export function parseRecording(source: string): Recording {
  const lines = source.split('\n');
  const answered = lines.findIndex((line) => line.startsWith('<<< '));
  const [first = '', ...asked] = lines.slice(0, answered);
  const [, method = '', url = ''] = /^>>> (\S+) (.*)$/.exec(first) ?? [];
  const status = /^<<< (\d{3})/.exec(lines[answered] ?? '')?.[1];
  if (method === '' || status === undefined)
    throw new Error(`Expected a recorded exchange, got \`${first}\``);
  const sent = asked.filter((line) => line.startsWith('>>> '));
  const { key, ...headers } = headersOf(sent);
  const rest = lines.slice(answered + 1);
  const blank = rest.indexOf('');
  return {
    request: { method, url, headers, key, body: asked.slice(sent.length).join('\n') },
    answer: {
      status: Number(status),
      headers: headersOf(rest.slice(0, blank)),
      body: rest.slice(blank + 1).join('\n'),
    },
  };
}

function headersOf(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((line) => {
      const [, name = '', value = ''] = /^(?:>>>|<<<) ([^:]+): (.*)$/.exec(line) ?? [];
      return [name, value];
    }),
  );
}
