/**
 * Reads one source file for the structure check: what it imports, in whatever way, and which names it uses.
 * Knows no rule.
 */
import { parseAst } from 'vitest/node';

/** One mention of another module: `import`, `export from`, `import()`, types, `require`, `import.meta.resolve`. */
export interface Mention {
  /** As written; null where it is computed, so that nobody can say what is loaded. */
  readonly specifier: string | null;
  readonly line: number;
}

/** A use of something ambient: `process`, `Date.now`, `x.localeCompare`. */
export interface Use {
  readonly name: string;
  readonly line: number;
}

export interface Source {
  /** From the repository's root, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly mentions: readonly Mention[];
  readonly uses: readonly Use[];
}

/** As much of a syntax tree's node as is looked at here. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly [key: string]: unknown;
}

function isNode(value: unknown): value is Node {
  return (
    typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
  );
}

/** @throws where the text is no TypeScript. */
export function readSource(path: string, text: string): Source {
  const mentions: Mention[] = [];
  const uses: Use[] = [];
  const starts = lineStarts(text);
  const program: unknown = parseAst(text, { lang: path.endsWith('x') ? 'tsx' : 'ts' });
  walk(program, (node) => {
    const line = lineOf(starts, node.start);
    const module = moduleOf(node);
    if (module !== undefined) mentions.push({ specifier: literal(module), line });
    const name = useOf(node);
    if (name !== undefined) uses.push({ name, line });
  });
  return { path, text, mentions, uses };
}

function walk(value: unknown, visit: (node: Node) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) walk(item, visit);
  } else if (isNode(value)) {
    visit(value);
    for (const key in value) if (key !== 'parent') walk(value[key], visit);
  }
}

/** The expression that names a module in this node, undefined where it names none. */
function moduleOf(node: Node): unknown {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return node['source'] ?? node['argument'];
    case 'ExportNamedDeclaration':
      return node['source'] ?? undefined;
    case 'TSExternalModuleReference':
      return node['expression'];
    case 'CallExpression':
      return LOADERS.has(nameOf(node['callee'])) ? (node['arguments'] as unknown[])[0] : undefined;
    default:
      return undefined;
  }
}

const LOADERS = new Set(['require', 'require.resolve', 'import.meta.resolve', 'process.getBuiltinModule']);

/** Names of globals and methods that rules ask for. `Date()` and `new Date()` without arguments read the clock. */
function useOf(node: Node): string | undefined {
  if (node.type === 'MemberExpression') return nameOf(node);
  if (node.type === 'CallExpression' || node.type === 'NewExpression') {
    const name = nameOf(node['callee']);
    if (name === 'Date') return (node['arguments'] as unknown[]).length === 0 ? 'new Date()' : undefined;
    return name.includes('.') ? undefined : `${name}()`;
  }
  return undefined;
}

/** `a.b.c` for such an expression, also `a['b']`; an unnamed part is `?`. */
function nameOf(value: unknown): string {
  if (!isNode(value)) return '?';
  switch (value.type) {
    case 'Identifier':
      return String(value['name']);
    case 'ThisExpression':
      return 'this';
    case 'MetaProperty':
      return 'import.meta';
    case 'ChainExpression':
    case 'TSNonNullExpression':
      return nameOf(value['expression']);
    case 'MemberExpression': {
      const property = value['property'];
      const last = value['computed'] === true ? (literal(property) ?? '?') : nameOf(property);
      return `${nameOf(value['object'])}.${last}`;
    }
    default:
      return '?';
  }
}

/** The text of a string or of a template without holes, also as a literal type. */
function literal(value: unknown): string | null {
  if (!isNode(value)) return null;
  if (value.type === 'TSLiteralType') return literal(value['literal']);
  if (value.type === 'Literal' && typeof value['value'] === 'string') return value['value'];
  if (value.type === 'TemplateLiteral' && (value['expressions'] as unknown[]).length === 0) {
    const [part] = value['quasis'] as { value: { cooked: string } }[];
    return part?.value.cooked ?? null;
  }
  return null;
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** 1-based. */
function lineOf(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle;
  }
  return low + 1;
}
