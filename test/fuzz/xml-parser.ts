import { spawnSync } from 'node:child_process';

/** An element as a parser sees it: its name, its attributes, and its own text. */
export type Seen = readonly [name: string, attributes: Readonly<Record<string, string>>, text: string];

const SCRIPT = `
import base64, json, sys
import xml.etree.ElementTree as ET
for line in sys.stdin:
    try:
        root = ET.fromstring(base64.b64decode(line))
        print(json.dumps([[e.tag, dict(e.attrib), e.text or ""] for e in root.iter()]))
    except Exception as error:
        print(json.dumps(str(error)))
`;

/** Has expat, which is not ours and knows namespaces, parse the documents: elements in order, or why it refuses. */
export function parseAll(documents: readonly Uint8Array[]): readonly (readonly Seen[] | string)[] {
  const input = documents.map((bytes) => Buffer.from(bytes).toString('base64')).join('\n');
  const { stdout, stderr } = spawnSync('python3', ['-c', SCRIPT], {
    input,
    encoding: 'utf8',
    maxBuffer: 1e9,
  });
  if (stderr !== '') throw new Error(stderr);
  return stdout.split('\n', documents.length).map((line) => JSON.parse(line) as readonly Seen[] | string);
}
