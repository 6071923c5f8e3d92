/**
 * Data as YAML with comments. The one file that knows the library.
 */
import { Document, isMap, isScalar, visit } from 'yaml';

/** A comment above a key. */
export interface Note {
  /** Keys and indexes from the top; the last one is the key. */
  readonly at: readonly (string | number)[];
  readonly text: string;
}

/** @param head comment at the top. @param remark what is said behind a text, where there is something to say. @throws Error where a note is at no key: a bug of ours */
export function yamlText(
  head: string,
  data: unknown,
  notes: readonly Note[] = [],
  remark: (value: string) => string | null = () => null,
): string {
  const document = new Document(data, { aliasDuplicateObjects: false });
  document.commentBefore = commented(head);
  for (const { at, text } of notes) {
    const map = at.length === 1 ? document.contents : document.getIn(at.slice(0, -1), true);
    const pair = isMap(map)
      ? map.items.find(({ key }) => isScalar(key) && key.value === at.at(-1))
      : undefined;
    if (!isScalar(pair?.key)) throw new Error(`there is nothing to comment on at ${at.join('.')}`);
    pair.key.commentBefore = commented(text);
  }
  visit(document, {
    Scalar: (_, scalar) => {
      const text = typeof scalar.value === 'string' ? remark(scalar.value) : null;
      if (text !== null) scalar.comment = ` ${text}`;
    },
    Seq: (_, list) => {
      // A matrix of hundreds stays one line.
      if (list.items.every((item) => isScalar(item) && typeof item.value === 'number')) list.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, singleQuote: true });
}

function commented(text: string): string {
  return text
    .split('\n')
    .map((line) => ` ${line}`.trimEnd())
    .join('\n');
}
