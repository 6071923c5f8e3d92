/**
 * The variables of one build stage while its instructions are read in order.
 *
 * BuildKit keeps ARG and ENV in one list, the last one written wins; beside it the image's own ENV, which a
 * stage built FROM this one starts with again. So an ARG after an ENV of the same name hides it until the
 * next FROM. Unaware of instructions.
 */

import { type EscapeToken, expandWord, isPlainWord, splitWords, type Variables } from './lex.ts';
import { ReadingError } from './text.ts';

/** BuildKit's system.DefaultPathEnvUnix. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Arguments that BuildKit takes for itself and does not put among the variables. */
const NOT_VARIABLES: ReadonlySet<string> = new Set([
  'BUILDKIT_SBOM_SCAN_CONTEXT',
  'BUILDKIT_SBOM_SCAN_STAGE',
]);

export interface Expansion {
  readonly text: string;
  /** False where a variable was asked for that only an image from outside could set. */
  readonly certain: boolean;
}

export class StageEnvironment {
  /** Null where only an image from outside knows. */
  workdir: string | null;
  /** The stage starts from an image from outside, whose ENV is not known here. */
  private readonly open: boolean;
  private readonly variables: Map<string, string>;
  private readonly imageEnv: Map<string, string>;
  private readonly escapeToken: EscapeToken;

  private constructor(
    escapeToken: EscapeToken,
    open: boolean,
    variables: Map<string, string>,
    imageEnv: Map<string, string>,
    workdir: string | null,
  ) {
    this.escapeToken = escapeToken;
    this.open = open;
    this.variables = variables;
    this.imageEnv = imageEnv;
    this.workdir = workdir;
  }

  static ofScratch(escapeToken: EscapeToken): StageEnvironment {
    const env = new Map([['PATH', DEFAULT_PATH]]);
    return new StageEnvironment(escapeToken, false, new Map(env), env, '/');
  }

  /** FROM an image that is not read here: its ENV and WORKDIR are unknown. */
  static ofImage(escapeToken: EscapeToken): StageEnvironment {
    return new StageEnvironment(escapeToken, true, new Map(), new Map(), null);
  }

  /** FROM the stage this belongs to, once its last instruction is read. */
  inherit(): StageEnvironment {
    const variables = new Map(this.variables);
    for (const [key, value] of this.imageEnv) variables.set(key, value);
    return new StageEnvironment(this.escapeToken, this.open, variables, new Map(this.imageEnv), this.workdir);
  }

  /** `value` undefined: set, but only the image knows to what. */
  setEnv(key: string, value: string | undefined): void {
    for (const map of [this.variables, this.imageEnv]) {
      if (value === undefined) map.delete(key);
      else map.set(key, value);
    }
  }

  /** `value` undefined: set, but only the image knows to what. */
  setArg(key: string, value: string | undefined): void {
    if (NOT_VARIABLES.has(key)) return;
    if (value === undefined) this.variables.delete(key);
    else this.variables.set(key, value);
  }

  /** Expands `text` and splits it at space, as EXPOSE does. @throws ReadingError */
  split(text: string): { readonly words: readonly string[]; readonly certain: boolean } {
    return this.certainly(
      (asked) => ({ words: splitWords(text, asked, { escapeToken: this.escapeToken }) }),
      {
        words: [],
      },
    );
  }

  /** Expands one word. A word that fails for want of a variable the image may set is uncertain, not wrong.
   * @throws ReadingError */
  expand(word: string): Expansion {
    if (isPlainWord(word)) return { text: word, certain: true };
    return this.expandAs(word, false);
  }

  /** Expands a heredoc given to COPY or ADD: quotes stay, and `\` escapes whatever the file says. */
  expandBody(body: string): Expansion {
    return this.expandAs(body, true);
  }

  private expandAs(text: string, isBody: boolean): Expansion {
    const options = isBody
      ? ({ escapeToken: '\\', ignoreQuotes: true } as const)
      : { escapeToken: this.escapeToken };
    return this.certainly((asked) => ({ text: expandWord(text, asked, options).text }), { text: '' });
  }

  private certainly<T>(read: (asked: Variables) => T, otherwise: T): T & { readonly certain: boolean } {
    let missed = false;
    const asked: Variables = {
      get: (name) => {
        const value = this.variables.get(name);
        if (value === undefined) missed = true;
        return value;
      },
    };
    try {
      const result = read(asked);
      return { ...result, certain: !(this.open && missed) };
    } catch (error) {
      if (this.open && missed && error instanceof ReadingError) return { ...otherwise, certain: false };
      throw error;
    }
  }
}
