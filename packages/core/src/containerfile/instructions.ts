/**
 * The instructions of a Containerfile as data, and what `parseContainerfile` returns.
 *
 * Nothing is expanded here: words stand as written. Which stage or image a name means is not known either.
 */

import type { EscapeToken } from './lex.ts';

interface Placed {
  /** Of the first line, 1-based. */
  readonly line: number;
}

export interface FromInstruction extends Placed {
  readonly kind: 'from';
  readonly image: string;
  /** Lower case; null where unnamed. */
  readonly name: string | null;
  /** `--platform`; '' where not given. */
  readonly platform: string;
}

export interface ArgInstruction extends Placed {
  readonly kind: 'arg';
  /** `value` is null for `ARG NAME`. */
  readonly pairs: readonly { readonly key: string; readonly value: string | null }[];
}

export interface EnvInstruction extends Placed {
  readonly kind: 'env' | 'label';
  readonly pairs: readonly { readonly key: string; readonly value: string }[];
}

/** A heredoc given to COPY or ADD as a file. */
export interface InlineFile {
  readonly name: string;
  readonly content: string;
  readonly expand: boolean;
}

export interface CopyInstruction extends Placed {
  readonly kind: 'copy' | 'add';
  /** `--from`; '' where not given. */
  readonly from: string;
  readonly sources: readonly string[];
  readonly inline: readonly InlineFile[];
  readonly destination: string;
  readonly chown: string;
  readonly chmod: string;
  readonly checksum: string;
  readonly excludes: readonly string[];
  readonly parents: boolean;
  readonly link: boolean;
}

export interface RunInstruction extends Placed {
  readonly kind: 'run';
  readonly network: string;
  readonly security: string;
  /** `--mount` values as written, and the `from` of each that stages are linked by. */
  readonly mounts: readonly { readonly value: string; readonly from: string }[];
  /** `--device` values as written. */
  readonly devices: readonly string[];
}

export interface OnbuildInstruction extends Placed {
  readonly kind: 'onbuild';
  /** The trigger, heredocs included. */
  readonly expression: string;
}

/** WORKDIR, USER, STOPSIGNAL: one word that is expanded. */
export interface WordInstruction extends Placed {
  readonly kind: 'workdir' | 'user' | 'stopsignal';
  readonly word: string;
}

export interface WordsInstruction extends Placed {
  readonly kind: 'volume' | 'expose';
  readonly words: readonly string[];
}

/** Instructions in which nothing is expanded and that need nothing. */
export interface PlainInstruction extends Placed {
  readonly kind: 'cmd' | 'entrypoint' | 'healthcheck' | 'maintainer' | 'shell';
}

export type StageInstruction =
  | ArgInstruction
  | EnvInstruction
  | CopyInstruction
  | RunInstruction
  | OnbuildInstruction
  | WordInstruction
  | WordsInstruction
  | PlainInstruction;

export type Instruction = FromInstruction | StageInstruction;

export interface ParsedStage {
  readonly from: FromInstruction;
  readonly instructions: readonly StageInstruction[];
}

/** A Containerfile as BuildKit's parser takes it, nothing resolved. */
export interface ParsedContainerfile {
  /** As given to `parseContainerfile`, for problems. */
  readonly file: string;
  readonly escapeToken: EscapeToken;
  /** What BuildKit would use instead of its own frontend, were it not pinned. */
  readonly syntax: { readonly image: string; readonly line: number } | null;
  /** The `# check=` directive: options of BuildKit's own lint. */
  readonly check: { readonly value: string; readonly line: number } | null;
  /** ARGs before the first FROM. */
  readonly metaArgs: readonly ArgInstruction[];
  /** At least one. */
  readonly stages: readonly ParsedStage[];
}
