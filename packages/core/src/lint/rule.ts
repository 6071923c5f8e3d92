/** What a rule is: a question to one subject. Types only. */
import type { LintCode } from './levels.ts';
import type { Subject } from './subject.ts';

/** What rules need to know beside the subject. */
export interface Surroundings {
  /** Images from outside that are allowed, as written or as Docker shortens them. */
  readonly allowedImages: ReadonlySet<string>;
}

/** Tells one finding. `line` 1-based, null for the file as a whole. */
export type Report = (file: 'Containerfile' | 'package.toml', line: number | null, text: string) => void;

export interface Rule {
  readonly code: LintCode;
  readonly check: (subject: Subject, report: Report, surroundings: Surroundings) => void;
}
